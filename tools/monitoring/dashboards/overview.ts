import { type Dashboard, graph, of, quantile, rate, stat, states, sum, table, total } from '../panel.ts'

const failed = rate('gatewright_requests_total', '', 'outcome="failed"')

export const overview: Dashboard = {
  uid: 'gatewright-overview',
  title: 'Gatewright: overview',
  about: 'Whether callers are served, how fast, by whom, and what it costs.',
  variables: [],
  sections: [
    {
      title: 'Now',
      panels: [
        stat(
          'Requests',
          { unit: 'reqps', help: 'Requests that ended, a second.' },
          { all: rate('gatewright_requests_total') },
        ),
        stat(
          'Failed',
          {
            unit: 'percentunit',
            warn: [0.01, 0.05],
            help: 'Share of requests that failed, at the gateway or at providers.',
          },
          {
            share: `(${failed} or vector(0)) / ${rate('gatewright_requests_total')}`,
          },
        ),
        stat(
          'Overhead, p99',
          {
            unit: 's',
            warn: [0.01, 0.025],
            help: 'From the arrival of a request to the call of a provider.',
          },
          {
            p99: quantile(0.99, 'gatewright_overhead_duration_seconds'),
          },
        ),
        stat(
          'First token, p95',
          {
            unit: 's',
            warn: [1.5, 2.5],
            help: 'From the arrival of a request to the first byte of its stream.',
          },
          {
            p95: quantile(0.95, 'gatewright_time_to_first_token_seconds'),
          },
        ),
        stat(
          'Cost per hour',
          { unit: 'currencyUSD', help: 'At the prices of the configuration.' },
          {
            cost: `${rate('gatewright_cost_usd_total')} * 3600`,
          },
        ),
        stat(
          'Nodes',
          { unit: 'none', help: 'Nodes that are scraped.' },
          { nodes: `count(${of('gatewright_build_info')})` },
        ),
      ],
    },
    {
      title: 'Requests',
      panels: [
        graph(
          'By outcome',
          { unit: 'reqps', help: 'Completed, failed, refused, or left by the caller.' },
          {
            '{{outcome}}': rate('gatewright_requests_total', 'outcome'),
          },
        ),
        graph(
          'By status',
          { unit: 'reqps', help: 'As HTTP servers count them.' },
          {
            '{{http_response_status_code}}': rate(
              'http_server_request_duration_seconds_count',
              'http_response_status_code',
            ),
          },
        ),
        graph(
          'Duration',
          { unit: 's', help: 'To the end of the answer: long answers take long.' },
          {
            p50: quantile(0.5, 'gatewright_request_duration_seconds'),
            p95: quantile(0.95, 'gatewright_request_duration_seconds'),
            p99: quantile(0.99, 'gatewright_request_duration_seconds'),
          },
        ),
        graph(
          'Under way',
          { unit: 'none', help: 'Requests, streams, and those that wait for a limit.' },
          {
            requests: sum('gatewright_open_requests'),
            streams: sum('gatewright_open_streams'),
            waiting: sum('gatewright_queue_waiting_requests'),
          },
        ),
        table(
          'Models',
          { unit: 'short', help: 'Requests in the time shown, by what was asked for and who served it.' },
          {
            '': total('gatewright_requests_total', 'model, provider, outcome'),
          },
        ),
        table(
          'Errors of the gateway',
          { unit: 'short', help: 'By code; docs/errors has a page for each.' },
          {
            '': total('gatewright_request_faults_total', 'code'),
          },
        ),
      ],
    },
    {
      title: 'Providers',
      panels: [
        graph(
          'Tries by what came of them',
          { unit: 'reqps', help: 'Classes of failures: docs/reference/failure-classes.md.' },
          {
            '{{provider}} {{outcome}}': rate('gatewright_upstream_attempts_total', 'provider, outcome'),
          },
        ),
        graph(
          'Times out of use',
          { unit: 'short', help: 'How often a target went out of use.' },
          {
            '{{deployment}} {{model}}': total('gatewright_target_outages_total', 'deployment, model'),
          },
        ),
        states(
          'Targets',
          { unit: 'none', warn: [1, 1], help: '1: the target is out of use for this reason.' },
          {
            '{{deployment}} {{model}} {{state}}': `max by (deployment, model, state) (${of('gatewright_target_state', 'state!="in_use"')})`,
          },
        ),
      ],
    },
  ],
}
