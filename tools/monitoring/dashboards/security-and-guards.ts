import { type Dashboard, graph, of, quantile, rate, stat, table, total } from '../panel.ts'

const keys = 'method="api_key"'
const admins = 'method="admin_secret"'

export const securityAndGuards: Dashboard = {
  uid: 'gatewright-security',
  title: 'Gatewright: security and guards',
  about: 'Who tries to get in, what is refused and why, and how limits and load guards hold.',
  variables: [{ name: 'organization', label: 'Organization', of: 'gatewright_limit_decisions_total' }],
  sections: [
    {
      title: 'In the time shown',
      panels: [
        stat(
          'Keys refused',
          { help: 'Requests with no key or one that is refused.' },
          {
            keys: `${total('gatewright_auth_attempts_total', '', `${keys},result!="ok"`)} or vector(0)`,
          },
        ),
        stat(
          'Access denied',
          { help: 'Valid keys that asked for what they may not have.' },
          {
            requests: `${total('gatewright_authz_decisions_total', '', 'decision="deny"')} or vector(0)`,
          },
        ),
        stat(
          'Refused by limits',
          { help: 'By limits in force.' },
          {
            requests: `${total('gatewright_limit_decisions_total', '', 'decision="refused",organization=~"$organization"')} or vector(0)`,
          },
        ),
        stat(
          'Wrong admin secrets',
          { warn: [1, 10], help: 'Tokens and set-up links of the control plane.' },
          {
            attempts: `${total('gatewright_auth_attempts_total', '', `${admins},result="bad_credential"`)} or vector(0)`,
          },
        ),
        stat(
          'Handshakes failed',
          { help: 'TLS, data plane.' },
          {
            handshakes: `${total('gatewright_tls_handshakes_total', '', 'result="failed"')} or vector(0)`,
          },
        ),
        stat(
          'Certificate',
          { unit: 'dateTimeFromNow', help: 'When the first of them expires.' },
          {
            expires: `min(${of('gatewright_certificate_expiry_timestamp_seconds')}) * 1000`,
          },
        ),
      ],
    },
    {
      title: 'Who gets in',
      panels: [
        graph(
          'API keys',
          { unit: 'reqps', help: 'By what came of them.' },
          { '{{result}}': rate('gatewright_auth_attempts_total', 'result', keys) },
        ),
        graph(
          'Control plane',
          { unit: 'reqps', help: 'Admin tokens and set-up links.' },
          { '{{result}}': rate('gatewright_auth_attempts_total', 'result', admins) },
        ),
        graph(
          'Administration',
          { unit: 'reqps', help: 'Answers of the admin API; 401, 403 and 429 were denied.' },
          { '{{operation}} {{status}}': rate('gatewright_admin_requests_total', 'operation, status') },
        ),
        graph(
          'Decisions',
          { unit: 'reqps', help: 'Whether the operation, the model, the region is allowed.' },
          {
            '{{resource}} {{decision}}': rate('gatewright_authz_decisions_total', 'resource, decision'),
          },
        ),
        graph(
          'TLS handshakes',
          { unit: 'reqps', help: 'By version.' },
          { '{{version}} {{result}}': rate('gatewright_tls_handshakes_total', 'version, result') },
        ),
        table(
          'Refusals',
          { width: 24, help: 'In the time shown, by error code; docs/errors has a page for each.' },
          {
            '': total(
              'gatewright_request_faults_total',
              'code',
              'code=~"auth[.].*|access[.].*|limits[.].*|request[.].*|capacity[.].*"',
            ),
          },
        ),
      ],
    },
    {
      title: 'Guards',
      panels: [
        graph(
          'Limits that refuse',
          { unit: 'reqps', help: 'By limit.' },
          {
            '{{organization}} {{plan}} {{limit}}': rate(
              'gatewright_limit_decisions_total',
              'organization, plan, limit',
              'decision="refused",organization=~"$organization"',
            ),
          },
        ),
        graph(
          'Queue',
          { unit: 'reqps', help: 'Requests that were to wait for a limit.' },
          { '{{event}}': rate('gatewright_queue_requests_total', 'event') },
        ),
        graph(
          'Wait for a limit',
          { unit: 's', help: 'Of those that waited.' },
          {
            '{{result}} p50': quantile(0.5, 'gatewright_queue_wait_duration_seconds', { labels: 'result' }),
            '{{result}} p95': quantile(0.95, 'gatewright_queue_wait_duration_seconds', { labels: 'result' }),
          },
        ),
        graph(
          'Turned away for load',
          { unit: 'reqps', help: 'By priority.' },
          { '{{priority}}': rate('gatewright_shed_requests_total', 'priority') },
        ),
        graph(
          'Table of counters',
          { unit: 'percentunit', warn: [0.8, 0.9], help: 'Share in use.' },
          {
            '{{instance}}': `${of('gatewright_limit_table_slots_used')} / ${of('gatewright_limit_table_slots')}`,
          },
        ),
        graph(
          'Counters that could not be used',
          { unit: 'reqps', help: 'No room, a lock that was not let go of, or a store out of reach.' },
          {
            '{{reason}}': rate('gatewright_limit_table_rejections_total', 'reason'),
            unavailable: rate('gatewright_limit_decisions_total', '', 'decision="unavailable"'),
          },
        ),
      ],
    },
  ],
}
