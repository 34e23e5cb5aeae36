import { buckets, type Dashboard, graph, heatmap, of, quantile, rate, stat, table } from '../panel.ts'
import { errorRatioRule, objectives } from '../slo-rules.ts'

const room = (target: number): string => String(Number((1 - target).toFixed(6)))

export const runtimeAndSlo: Dashboard = {
  uid: 'gatewright-runtime',
  title: 'Gatewright: runtime and SLO',
  about: 'Whether objectives are met, where time goes in the gateway, and how the processes are.',
  variables: [],
  sections: [
    {
      title: 'Objectives (from the recording rules)',
      panels: [
        ...objectives.map((objective) =>
          stat(
            `${objective.name}: room left`,
            {
              width: 8,
              unit: 'percentunit',
              help: `Share of the room for errors that is left, at the pace of the last 3 days. The objective: ${objective.promise}.`,
            },
            {
              left: `1 - ${errorRatioRule(objective, '3d')} / ${room(objective.target)}`,
            },
          ),
        ),
        graph(
          'Burn rate, 1 h',
          {
            width: 24,
            help: '1: the room is used up exactly at the end of the period. Above 14.4 somebody is called.',
          },
          {
            ...Object.fromEntries(
              objectives.map((objective) => [
                objective.id,
                `${errorRatioRule(objective, '1h')} / ${room(objective.target)}`,
              ]),
            ),
          },
        ),
      ],
    },
    {
      title: 'Where time goes',
      panels: [
        graph(
          'Overhead',
          { unit: 's', help: 'Before the call of a provider, with the upload, waits and earlier tries.' },
          {
            p50: quantile(0.5, 'gatewright_overhead_duration_seconds'),
            p95: quantile(0.95, 'gatewright_overhead_duration_seconds'),
            p99: quantile(0.99, 'gatewright_overhead_duration_seconds'),
            'all nodes, p99 of 5 min': 'gatewright:overhead_duration_seconds:p99_5m',
          },
        ),
        graph(
          'Stages, p99',
          { unit: 's', help: 'Each with the short stages after it.' },
          {
            '{{stage}}': quantile(0.99, 'gatewright_request_stage_duration_seconds', { labels: 'stage' }),
          },
        ),
        graph(
          'Routes, p95',
          { unit: 's', help: 'By HTTP route.' },
          {
            '{{http_request_method}} {{http_route}}': quantile(0.95, 'http_server_request_duration_seconds', {
              labels: 'http_request_method, http_route',
            }),
          },
        ),
        heatmap(
          'Overhead',
          { unit: 's', help: 'How it is spread.' },
          { '{{le}}': buckets('gatewright_overhead_duration_seconds') },
        ),
      ],
    },
    {
      title: 'Event loops and memory',
      panels: [
        graph(
          'Busy',
          {
            unit: 'percentunit',
            warn: [0.7, 0.9],
            help: 'Share of time in which the loop of a worker was busy.',
          },
          {
            '{{instance}} {{worker}}': of('gatewright_event_loop_utilization_ratio'),
          },
        ),
        graph(
          'Late',
          { unit: 's', help: 'p99 of timers, and the running mean by which load is shed.' },
          {
            '{{instance}} p99': quantile(0.99, 'nodejs_eventloop_lag_seconds', { labels: 'instance' }),
            '{{instance}} {{worker}} mean': of('gatewright_event_loop_delay_seconds'),
          },
        ),
        graph(
          'Heap',
          { unit: 'bytes', help: 'Of each worker.' },
          {
            '{{instance}} {{worker}} used': of('gatewright_heap_used_bytes'),
            '{{instance}} {{worker}} taken': of('nodejs_heap_size_total_bytes'),
            '{{instance}} {{worker}} limit': of('nodejs_heap_size_limit_bytes'),
            '{{instance}} {{worker}} external': of('nodejs_external_memory_bytes'),
          },
        ),
        graph(
          'Garbage collection',
          { unit: 'percentunit', help: 'Share of the time of a core.' },
          {
            '{{instance}} {{kind}}': rate('nodejs_gc_duration_seconds_sum', 'instance, kind'),
          },
        ),
      ],
    },
    {
      title: 'Processes',
      panels: [
        graph(
          'Processor',
          { unit: 'short', width: 8, help: 'Cores in use.' },
          { '{{instance}}': rate('process_cpu_seconds_total', 'instance') },
        ),
        graph(
          'Memory',
          { unit: 'bytes', width: 8, help: 'Resident, and address space.' },
          {
            '{{instance}} resident': of('process_resident_memory_bytes'),
            '{{instance}} virtual': of('process_virtual_memory_bytes'),
          },
        ),
        graph(
          'Files and connections',
          { unit: 'none', width: 8, help: 'Open descriptors, and how many there may be.' },
          {
            '{{instance}} open': of('process_open_fds'),
            '{{instance}} most': of('process_max_fds'),
          },
        ),
        graph(
          'Requests under way',
          { unit: 'none', width: 8, help: 'By method and scheme.' },
          {
            '{{http_request_method}} {{url_scheme}}': `sum by (http_request_method, url_scheme) (${of('http_server_active_requests')})`,
          },
        ),
        graph(
          'Workers',
          { unit: 'none', width: 8, help: 'That listen, and that should; threads that were replaced.' },
          {
            '{{instance}} running': of('gatewright_workers_running'),
            '{{instance}} configured': of('gatewright_workers_configured'),
            '{{instance}} replaced': of('gatewright_thread_restarts_total'),
          },
        ),
        graph(
          'Disk left',
          { unit: 'bytes', width: 8, help: 'Where the data directory is.' },
          { '{{instance}}': of('gatewright_data_disk_free_bytes') },
        ),
        table('Versions', { unit: 'none', help: 'What runs.' }, { '': of('gatewright_build_info') }),
        stat(
          'Running since',
          { unit: 'dateTimeFromNow', width: 4, help: 'The node that started last.' },
          { start: `max(${of('process_start_time_seconds')}) * 1000` },
        ),
        stat(
          'Configuration loaded',
          {
            unit: 'dateTimeFromNow',
            width: 4,
            help: 'gatewright.yaml and environment: the node that did last.',
          },
          { loaded: `max(${of('gatewright_config_reload_timestamp_seconds')}) * 1000` },
        ),
        stat(
          'Configuration in force',
          { unit: 'dateTimeFromNow', width: 4, help: 'Snapshot: the node that took one over last.' },
          { applied: `max(${of('gatewright_snapshot_applied_timestamp_seconds')}) * 1000` },
        ),
        stat(
          'Configuration refused',
          { unit: 'none', width: 4, warn: [1, 1], help: 'Nodes that refuse the newest one.' },
          {
            nodes: `sum(${of('gatewright_config_refused')} + ${of('gatewright_snapshot_refused')})`,
          },
        ),
      ],
    },
  ],
}
