import { type Dashboard, graph, of, type Panel, rate, stat, total } from '../panel.ts'

const auditPanels: readonly Panel[] = [
  stat(
    'Audit entries',
    { width: 6, help: 'In the tree of the audit log.' },
    { entries: `sum(${of('gatewright_audit_tree_size')})` },
  ),
  stat(
    'Last checkpoint',
    {
      width: 6,
      unit: 's',
      help: 'Age of the last signed checkpoint; it grows while nothing is to be recorded.',
    },
    { age: `max(${of('gatewright_audit_checkpoint_age_seconds')})` },
  ),
  stat(
    'Waiting for delivery',
    { width: 6, unit: 'bytes', help: 'In the spool.' },
    { bytes: `sum(${of('gatewright_export_spool_bytes')})` },
  ),
  stat(
    'Dead letters',
    { width: 6, warn: [1, 1], help: 'Records that no sink took; they can be sent again.' },
    { records: total('gatewright_export_dead_letter_total') },
  ),
  graph(
    'Audit entries a second',
    { help: 'By stream and outcome.' },
    { '{{stream}} {{outcome}}': rate('gatewright_audit_entries_total', 'stream, outcome') },
  ),
  graph(
    'Delivered',
    { help: 'By sink and what came of it.' },
    { '{{sink}} {{result}}': rate('gatewright_export_records_total', 'sink, result') },
  ),
  graph(
    'Behind',
    { unit: 's', help: 'How old what a sink has not taken is.' },
    { '{{sink}}': `max by (sink) (${of('gatewright_export_lag_seconds')})` },
  ),
  graph(
    'Dead letters by sink',
    { help: 'In the time shown.' },
    { '{{sink}}': total('gatewright_export_dead_letter_total', 'sink') },
  ),
]

export const privacyAndAudit: Dashboard = {
  uid: 'gatewright-audit',
  title: 'Gatewright: privacy and audit',
  about: 'Where requests may go, what is kept of them, and whether records are whole.',
  variables: [],
  sections: [
    {
      title: 'Where requests go',
      panels: [
        graph(
          'Outside the allowed regions',
          {
            unit: 'reqps',
            help: 'Requests refused because no target within their regions was there, beside all that were allowed a model.',
          },
          {
            refused: `${rate('gatewright_authz_decisions_total', '', 'resource="region",decision="deny"')} or vector(0)`,
            allowed: rate('gatewright_authz_decisions_total', '', 'resource="model",decision="allow"'),
          },
        ),
        graph(
          'By provider',
          { unit: 'reqps', help: 'Who was given requests of callers.' },
          { '{{provider}}': rate('gatewright_upstream_attempts_total', 'provider') },
        ),
      ],
    },
    {
      title: 'Records of usage',
      panels: [
        stat(
          'Summed',
          { width: 6, help: 'In the time shown.' },
          { records: total('gatewright_usage_records_total', '', 'result="summed"') },
        ),
        stat(
          'Malformed',
          {
            width: 6,
            warn: [1, 1],
            help: 'Lines of the usage log that are no records: somebody wrote there, or the disk fails.',
          },
          {
            records: total('gatewright_usage_records_total', '', 'result="malformed"'),
          },
        ),
        stat(
          'Held in memory',
          { width: 6, unit: 'bytes', warn: [16e6, 32e6], help: 'Not on disk yet.' },
          { bytes: `sum(${of('gatewright_usage_held_bytes')})` },
        ),
        stat(
          'Disk left',
          { width: 6, unit: 'bytes', help: 'Of the node that has least.' },
          { bytes: `min(${of('gatewright_data_disk_free_bytes')})` },
        ),
      ],
    },
    {
      title: 'Administration',
      panels: [
        graph(
          'Admin secrets that were right',
          { help: 'Uses of tokens and set-up links, a second.' },
          {
            '{{instance}}': rate(
              'gatewright_auth_attempts_total',
              'instance',
              'method="admin_secret",result="ok"',
            ),
          },
        ),
        graph(
          'Versions of the configuration',
          { unit: 'none', help: 'Every change of an object makes one.' },
          { '{{instance}}': of('gatewright_snapshot_version') },
        ),
      ],
    },
    { title: 'Audit log and delivery (data once these are in the product)', panels: auditPanels },
  ],
}
