/** Alerts on nodes: whether they run, have room, and have the configuration that they should. */
import { type AlertGroup, compare } from './alert.ts'

const job = 'job="gatewright"'
const lag = 'histogram_quantile(0.99, sum by (instance, le) (rate(nodejs_eventloop_lag_seconds_bucket[5m])))'
const one = { instance: 'gw-1' }

export const runtimeAlerts: AlertGroup = {
  name: 'gatewright-runtime',
  about: 'Nodes',
  alerts: [
    {
      name: 'GatewrightDown',
      severity: 'page',
      ...compare(`up{${job}}`, '== 0'),
      for: '2m',
      summary: 'The gateway node {{ $labels.instance }} does not answer the scraper.',
      meaning:
        'Prometheus gets no figures of the node: the process is gone, the control plane hangs, or the way to it (network, token, certificate) is shut. The data plane may still serve.',
      look: [
        'What the scraper says: Status → Targets in Prometheus, or `up{job="gatewright"}`.',
        'Whether callers are served: `curl -k https://<node>:8443/readyz`.',
        'On the node: `gatewright doctor`, `systemctl status gatewright`, and the last lines of its log.',
      ],
      act: [
        'Process gone: start it; it takes the configuration of before. Out of memory: see GatewrightHeapNearLimit.',
        '401 or 403: the scraper’s token was revoked; make one with the scope read that is bound to no organization.',
        'A certificate that Prometheus does not trust: renew it, or give Prometheus the authority’s file.',
      ],
      fires: {
        samples: { 'up{job="gatewright",instance="gw-1"}': '1x2 0x20' },
        at: '10m',
        labels: { job: 'gatewright', ...one },
      },
      quiet: { 'up{job="gatewright",instance="gw-1"}': '1x30' },
    },
    {
      name: 'GatewrightWorkersMissing',
      severity: 'ticket',
      expr: 'gatewright_workers_running < gatewright_workers_configured',
      signals: ['gatewright_workers_running', 'gatewright_workers_configured'],
      for: '5m',
      summary: 'Fewer threads of {{ $labels.instance }} listen than are configured.',
      meaning: 'The node serves with less than its processor could, or a thread cannot start.',
      look: [
        'How many are missing: `gatewright_workers_configured - gatewright_workers_running`.',
        'Why: the log of the node, lines of the supervisor.',
      ],
      act: [
        'A port in use or a certificate that cannot be read: put it right; the supervisor tries again.',
        'Otherwise start the node anew; others serve meanwhile.',
      ],
      fires: {
        samples: {
          'gatewright_workers_running{instance="gw-1"}': '4x2 3x20',
          'gatewright_workers_configured{instance="gw-1"}': '4x30',
        },
        at: '15m',
        labels: one,
      },
      quiet: {
        'gatewright_workers_running{instance="gw-1"}': '4x30',
        'gatewright_workers_configured{instance="gw-1"}': '4x30',
      },
    },
    {
      name: 'GatewrightThreadsRestart',
      severity: 'ticket',
      ...compare('increase(gatewright_thread_restarts_total[15m])', '> 2'),
      for: '0m',
      summary: 'Threads of {{ $labels.instance }} end and are replaced again and again.',
      meaning:
        'Each thread that ends breaks off the requests that it had. Usage stays exact; callers see broken answers.',
      look: [
        'How often: `increase(gatewright_thread_restarts_total[1h])`.',
        'Why: error lines of the supervisor in the log; out of memory looks like `ERR_WORKER_OUT_OF_MEMORY`.',
        'Memory before it: `gatewright_heap_used_bytes`.',
      ],
      act: [
        'Out of memory: lower `bounds` of bodies, add memory, or spread the load.',
        'An error of ours: keep the log line, go back to the release of before, report it.',
      ],
      fires: {
        samples: { 'gatewright_thread_restarts_total{instance="gw-1"}': '0+1x30' },
        at: '20m',
        labels: one,
      },
      quiet: { 'gatewright_thread_restarts_total{instance="gw-1"}': '5x30' },
    },
    {
      name: 'GatewrightEventLoopLate',
      severity: 'ticket',
      ...compare(lag, '> 0.1'),
      for: '10m',
      summary: 'The event loops of {{ $labels.instance }} are more than 100 ms late.',
      meaning:
        'Everything on the node waits. Beyond the bound of the configuration requests are turned away, lowest priority first.',
      look: [
        'How busy: `gatewright_event_loop_utilization_ratio`.',
        'Garbage collection: `sum by (instance, kind) (rate(nodejs_gc_duration_seconds_sum[5m]))`.',
        'Very large bodies: stage `validate` of `gatewright_request_stage_duration_seconds`.',
      ],
      act: [
        'Busy all the time: add workers (up to the number of cores) or nodes.',
        'Collections: see GatewrightHeapNearLimit.',
      ],
      fires: {
        samples: {
          'nodejs_eventloop_lag_seconds_bucket{instance="gw-1",le="0.1"}': '0+10x40',
          'nodejs_eventloop_lag_seconds_bucket{instance="gw-1",le="0.25"}': '0+1000x40',
          'nodejs_eventloop_lag_seconds_bucket{instance="gw-1",le="+Inf"}': '0+1000x40',
        },
        at: '30m',
        labels: one,
      },
      quiet: {
        'nodejs_eventloop_lag_seconds_bucket{instance="gw-1",le="0.01"}': '0+999x40',
        'nodejs_eventloop_lag_seconds_bucket{instance="gw-1",le="0.1"}': '0+1000x40',
        'nodejs_eventloop_lag_seconds_bucket{instance="gw-1",le="+Inf"}': '0+1000x40',
      },
    },
    {
      name: 'GatewrightShedsLoad',
      severity: 'page',
      ...compare('sum by (instance) (rate(gatewright_shed_requests_total[5m]))', '> 0'),
      for: '5m',
      summary: '{{ $labels.instance }} turns requests away because it has too much to do.',
      meaning: 'Callers get 503 `capacity.overloaded`, lowest priority first, so that the others are served.',
      look: [
        'Which priority: `sum by (priority) (rate(gatewright_shed_requests_total[5m]))`.',
        'Why: event loop (`gatewright_event_loop_delay_seconds`) or memory (`process_resident_memory_bytes`).',
        'Whether the other nodes have room: the same by `instance`.',
      ],
      act: [
        'Load uneven: put the load balancer right.',
        'Load too high everywhere: add nodes, or lower the limits of plans of low priority.',
      ],
      fires: {
        samples: { 'gatewright_shed_requests_total{instance="gw-1",priority="low"}': '0+30x30' },
        at: '20m',
        labels: one,
      },
      quiet: { 'gatewright_shed_requests_total{instance="gw-1",priority="low"}': '7x30' },
    },
    {
      name: 'GatewrightHeapNearLimit',
      severity: 'ticket',
      ...compare('gatewright_heap_used_bytes / nodejs_heap_size_limit_bytes', '> 0.85'),
      for: '10m',
      summary: 'The heap of worker {{ $labels.worker }} of {{ $labels.instance }} is nearly full.',
      meaning:
        'The thread spends its time on garbage collection and will end when the heap is full; its requests break off.',
      look: [
        'How it grew: `gatewright_heap_used_bytes` over a day.',
        'What is held: `gatewright_usage_held_bytes`, `gatewright_open_requests`, the response cache.',
      ],
      act: [
        'It grows with load: lower `bounds` for bodies under way, or add nodes.',
        'It grows without load: take a heap snapshot and report it; start the node anew meanwhile.',
      ],
      fires: {
        samples: {
          'gatewright_heap_used_bytes{instance="gw-1",worker="0"}': '95x30',
          'nodejs_heap_size_limit_bytes{instance="gw-1",worker="0"}': '100x30',
        },
        at: '20m',
        labels: { ...one, worker: '0' },
      },
      quiet: {
        'gatewright_heap_used_bytes{instance="gw-1",worker="0"}': '70x30',
        'nodejs_heap_size_limit_bytes{instance="gw-1",worker="0"}': '100x30',
      },
    },
    {
      name: 'GatewrightFilesNearLimit',
      severity: 'ticket',
      ...compare(`process_open_fds{${job}} / process_max_fds{${job}}`, '> 0.8'),
      for: '10m',
      summary: '{{ $labels.instance }} has nearly as many files and connections open as it may.',
      meaning: 'At the limit no connection is accepted and none is made.',
      look: [
        'How many: `process_open_fds`, beside `gatewright_open_requests` and `gatewright_open_streams`.',
      ],
      act: [
        'Raise the limit of the service (`LimitNOFILE`, `ulimit -n`).',
        'Many idle connections: lower the caps of the guide on connection limits.',
      ],
      fires: {
        samples: {
          'process_open_fds{job="gatewright",instance="gw-1"}': '900x30',
          'process_max_fds{job="gatewright",instance="gw-1"}': '1000x30',
        },
        at: '20m',
        labels: { job: 'gatewright', ...one },
      },
      quiet: {
        'process_open_fds{job="gatewright",instance="gw-1"}': '400x30',
        'process_max_fds{job="gatewright",instance="gw-1"}': '1000x30',
      },
    },
    {
      name: 'GatewrightCertificateExpires',
      severity: 'ticket',
      ...compare('gatewright_certificate_expiry_timestamp_seconds - time()', '< 14 * 86400'),
      for: '1h',
      summary: 'The certificate of {{ $labels.instance }} expires within 14 days.',
      meaning: 'After that no client that checks certificates connects.',
      look: [
        'When: `(gatewright_certificate_expiry_timestamp_seconds - time()) / 86400` days.',
        'Which: `openssl s_client -connect <node>:8443 </dev/null | openssl x509 -noout -dates -subject`.',
      ],
      act: [
        'Put the new certificate and key where `tls` of the configuration names them; they are taken over while running.',
        'The local authority renews its own: start the node anew when it did not, and look into the log.',
      ],
      fires: {
        samples: { 'gatewright_certificate_expiry_timestamp_seconds{instance="gw-1"}': '1000000x120' },
        at: '100m',
        labels: one,
      },
      quiet: { 'gatewright_certificate_expiry_timestamp_seconds{instance="gw-1"}': '2000000x120' },
    },
    {
      name: 'GatewrightConfigurationRefused',
      severity: 'ticket',
      ...compare('gatewright_config_refused + gatewright_snapshot_refused', '> 0'),
      for: '5m',
      summary: '{{ $labels.instance }} refuses the newest configuration; the one of before stays.',
      meaning:
        'What was changed has no effect on this node. It goes on with what it has, also after a restart of a thread.',
      look: [
        'Why: the log line `config.refused`, which names file and line; or `gatewright status`.',
        'Since when: `gatewright_config_reload_timestamp_seconds`, `gatewright_snapshot_applied_timestamp_seconds`.',
      ],
      act: [
        'Put right what the line names; the file is loaded as soon as it changes.',
        'In doubt, go back to the file of before.',
      ],
      fires: {
        samples: {
          'gatewright_config_refused{instance="gw-1"}': '1x30',
          'gatewright_snapshot_refused{instance="gw-1"}': '0x30',
        },
        at: '20m',
        labels: one,
      },
      quiet: {
        'gatewright_config_refused{instance="gw-1"}': '0x30',
        'gatewright_snapshot_refused{instance="gw-1"}': '0x30',
      },
    },
    {
      name: 'GatewrightSeriesOverflow',
      severity: 'ticket',
      expr: 'sum by (metric) (increase(gatewright_metric_series_overflows_total[1h])) > 0',
      // Nothing overflows where all is well: there is no such series then.
      signals: [],
      for: '0m',
      summary:
        'The metric {{ $labels.metric }} has more label sets than it may; further ones count as other.',
      meaning: 'Sums stay right; what is new cannot be told apart in this metric.',
      look: ['How many models and providers there are: `count by (__name__) ({__name__=~"gatewright_.+"})`.'],
      act: [
        'Remove models and deployments that nobody uses.',
        'Start the node anew: label sets of what is gone are then free.',
      ],
      fires: {
        samples: { 'gatewright_metric_series_overflows_total{metric="gatewright_tokens_total"}': '0+1x30' },
        at: '20m',
        labels: { metric: 'gatewright_tokens_total' },
      },
      quiet: { 'gatewright_metric_series_overflows_total{metric="gatewright_tokens_total"}': '3x30' },
    },
  ],
}
