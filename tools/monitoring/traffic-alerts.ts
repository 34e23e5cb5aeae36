/** Alerts on providers, limits and queues, and on what is used and stored. */
import { type AlertGroup, compare } from './alert.ts'

const tries = (match: string): string =>
  `sum by (provider) (rate(gatewright_upstream_attempts_total${match}[5m]))`
const refused =
  'sum by (limit) (increase(gatewright_limit_decisions_total{mode="enforce",decision="refused"}[15m]))'
const free = 'gatewright_data_disk_free_bytes'
const cost = 'sum(rate(gatewright_cost_usd_total[1h]))'
const one = { instance: 'gw-1' }

export const providerAlerts: AlertGroup = {
  name: 'gatewright-providers',
  about: 'Providers',
  alerts: [
    {
      name: 'GatewrightProviderFails',
      severity: 'ticket',
      expr: `${tries('{outcome!~"ok|abandoned|refused|caller|unfit"}')} / ${tries('')} > 0.2`,
      signals: [tries('')],
      for: '10m',
      summary: 'More than a fifth of the tries at {{ $labels.provider }} fail.',
      meaning: 'Where a route has other targets, callers are served by them; where not, they get errors.',
      look: [
        'How: `sum by (provider, outcome) (rate(gatewright_upstream_attempts_total[5m]))`; the classes are in docs/reference/failure-classes.md.',
        'The provider’s status page.',
        'Whether callers notice: `sum by (model) (rate(gatewright_requests_total{outcome="failed"}[5m]))`.',
      ],
      act: [
        '`rate-limit` or `quota`: spread over more deployments, or ask for more quota.',
        '`credential`: it was revoked or has expired; put in a new one.',
        '`server`, `connect`, `timeout`: put another target first until the provider is well.',
      ],
      fires: {
        samples: {
          'gatewright_upstream_attempts_total{provider="openai",outcome="ok"}': '0+60x40',
          'gatewright_upstream_attempts_total{provider="openai",outcome="server"}': '0+60x40',
        },
        at: '30m',
        labels: { provider: 'openai' },
      },
      quiet: {
        'gatewright_upstream_attempts_total{provider="openai",outcome="ok"}': '0+600x40',
        'gatewright_upstream_attempts_total{provider="openai",outcome="abandoned"}': '0+600x40',
        'gatewright_upstream_attempts_total{provider="openai",outcome="server"}': '0+6x40',
      },
    },
    {
      name: 'GatewrightTargetOut',
      severity: 'ticket',
      ...compare('max by (deployment, model, state) (gatewright_target_state{state!="in_use"})', '== 1'),
      for: '15m',
      summary:
        'The model {{ $labels.model }} of {{ $labels.deployment }} has been out of use for 15 minutes ({{ $labels.state }}).',
      meaning: 'No request goes there. Other targets of the routes carry its load, where there are any.',
      look: [
        'What else is out: `gatewright_target_state{state!="in_use"} == 1`.',
        'How often it went: `increase(gatewright_target_outages_total[1d])`.',
        'A trial call: `gatewright providers test <deployment>`.',
      ],
      act: [
        'A credential was refused: put in a new one; the state ends with the next good call.',
        'A quota is used up: wait for its end, or raise it.',
        'Nobody asks for it any more: a state that has run its time stays until a request tries the target.',
      ],
      fires: {
        samples: { 'gatewright_target_state{deployment="eu-1",model="gpt-5",state="retired"}': '1x40' },
        at: '30m',
        labels: { deployment: 'eu-1', model: 'gpt-5', state: 'retired' },
      },
      quiet: {
        'gatewright_target_state{deployment="eu-1",model="gpt-5",state="retired"}': '0x40',
        'gatewright_target_state{deployment="eu-1",model="gpt-5",state="in_use"}': '1x40',
      },
    },
  ],
}

export const limitAlerts: AlertGroup = {
  name: 'gatewright-limits',
  about: 'Limits and queues',
  alerts: [
    {
      name: 'GatewrightLimitRefuses',
      severity: 'ticket',
      ...compare(refused, '> 100'),
      for: '15m',
      summary: 'The limit {{ $labels.limit }} refuses more than 100 requests in 15 minutes.',
      meaning:
        'Somebody uses more than was agreed, a limit is too tight, or a program runs wild. A sudden rise may be an abused key.',
      look: [
        'Which limits: `topk(10, sum by (organization, plan, limit) (increase(gatewright_limit_decisions_total{decision="refused"}[1h])))`.',
        'Who: the usage report by key or user; no metric has these labels.',
        'What is left: `gatewright_budget_remaining_ratio`.',
      ],
      act: [
        'A program that runs wild: tell its owner, or revoke the key.',
        'A limit that is too tight: raise it, or give a top-up for this period.',
      ],
      fires: {
        samples: {
          'gatewright_limit_decisions_total{limit="per-minute",mode="enforce",decision="refused"}': '0+60x60',
        },
        at: '45m',
        labels: { limit: 'per-minute' },
      },
      quiet: {
        'gatewright_limit_decisions_total{limit="per-minute",mode="enforce",decision="refused"}': '0+1x60',
        'gatewright_limit_decisions_total{limit="trial",mode="shadow",decision="exceeded"}': '0+60x60',
      },
    },
    {
      name: 'GatewrightLimitsUnavailable',
      severity: 'page',
      ...compare('sum(increase(gatewright_limit_decisions_total{decision="unavailable"}[5m]))', '> 0'),
      for: '2m',
      summary: 'Counters of limits cannot be reached.',
      meaning:
        'Rules with `onStoreLoss: closed` refuse; with `local-share` each node goes on with its share; with `open` they do not limit.',
      look: [
        'Which limits: `sum by (limit) (increase(gatewright_limit_decisions_total{decision="unavailable"}[5m]))`.',
        'The counter store (Valkey or PostgreSQL): whether it runs, and whether this node reaches it.',
      ],
      act: [
        'Bring the store back; nodes connect by themselves and settle what they owe.',
        'If it takes long: change `onStoreLoss` of the rules that must not refuse.',
      ],
      fires: {
        samples: { 'gatewright_limit_decisions_total{limit="day",decision="unavailable"}': '0+6x30' },
        at: '15m',
        labels: {},
      },
      quiet: { 'gatewright_limit_decisions_total{limit="day",decision="unavailable"}': '4x30' },
    },
    {
      name: 'GatewrightLimitTableFull',
      severity: 'ticket',
      ...compare('gatewright_limit_table_slots_used / gatewright_limit_table_slots', '> 0.9'),
      for: '10m',
      summary: 'The table of counters of {{ $labels.instance }} is nearly full.',
      meaning:
        'When it is full, requests that need a new counter are refused or pass uncounted, as their rules say.',
      look: [
        'Refused steps: `rate(gatewright_limit_table_rejections_total[5m])`.',
        'Which rules count per user or address: these make most counters.',
      ],
      act: [
        'Let rules count per key or application instead of per user or address; the table has a fixed size.',
      ],
      fires: {
        samples: {
          'gatewright_limit_table_slots_used{instance="gw-1"}': '95x30',
          'gatewright_limit_table_slots{instance="gw-1"}': '100x30',
        },
        at: '20m',
        labels: one,
      },
      quiet: {
        'gatewright_limit_table_slots_used{instance="gw-1"}': '50x30',
        'gatewright_limit_table_slots{instance="gw-1"}': '100x30',
      },
    },
    {
      name: 'GatewrightBudgetNearlyUsed',
      severity: 'ticket',
      ...compare(
        'min by (organization, limit) (gatewright_budget_remaining_ratio{period=~"day|week|month"})',
        '< 0.1',
      ),
      for: '5m',
      summary: 'Less than a tenth of the budget {{ $labels.limit }} of {{ $labels.organization }} is left.',
      meaning: 'When nothing is left, an enforced budget refuses until its period ends.',
      look: [
        'How it went: `gatewright_budget_remaining_ratio` over the period.',
        'Who used it: the usage report of the organization.',
      ],
      act: ['Agree on a top-up with the owner, or leave it: the limit does what it is for.'],
      fires: {
        samples: {
          'gatewright_budget_remaining_ratio{organization="org_a",limit="month",period="month"}': '0.05x30',
        },
        at: '20m',
        labels: { organization: 'org_a', limit: 'month' },
      },
      quiet: {
        'gatewright_budget_remaining_ratio{organization="org_a",limit="month",period="month"}': '0.4x30',
        'gatewright_budget_remaining_ratio{organization="org_a",limit="minute",period="minute"}': '0x30',
      },
    },
    {
      name: 'GatewrightQueueWaitsLong',
      severity: 'ticket',
      ...compare(
        'histogram_quantile(0.95, sum by (le) (rate(gatewright_queue_wait_duration_seconds_bucket[5m])))',
        '> 5',
      ),
      for: '10m',
      summary: 'One in twenty queued requests waits more than 5 s for a limit.',
      meaning: 'Callers wait for what others use; beyond the longest wait of their plan they are refused.',
      look: [
        'How many wait: `gatewright_queue_waiting_requests`.',
        'How it ends: `sum by (event) (rate(gatewright_queue_requests_total[5m]))`.',
      ],
      act: [
        'Raise the limit that they wait for, or shorten the wait of the plan, so that callers hear at once.',
      ],
      fires: {
        samples: {
          'gatewright_queue_wait_duration_seconds_bucket{result="served",le="5"}': '0+1x40',
          'gatewright_queue_wait_duration_seconds_bucket{result="served",le="10"}': '0+60x40',
          'gatewright_queue_wait_duration_seconds_bucket{result="served",le="+Inf"}': '0+60x40',
        },
        at: '30m',
        labels: {},
      },
      quiet: {
        'gatewright_queue_wait_duration_seconds_bucket{result="served",le="1"}': '0+59x40',
        'gatewright_queue_wait_duration_seconds_bucket{result="served",le="5"}': '0+60x40',
        'gatewright_queue_wait_duration_seconds_bucket{result="served",le="+Inf"}': '0+60x40',
      },
    },
  ],
}

export const usageAlerts: AlertGroup = {
  name: 'gatewright-usage',
  about: 'Storage and usage',
  alerts: [
    {
      name: 'GatewrightDiskFills',
      severity: 'page',
      expr: `${free} < 1e9 or predict_linear(${free}[6h], 24 * 3600) < 0`,
      signals: [free, `predict_linear(${free}[6h], 24 * 3600)`],
      for: '10m',
      summary:
        'The data directory of {{ $labels.instance }} has less than 1 GB left, or will have none within a day.',
      meaning: 'Without room usage cannot be recorded; what cannot be recorded is not served.',
      look: [
        'How fast: `deriv(gatewright_data_disk_free_bytes[6h])`.',
        'What takes it: `du -sh` on the data directory’s folders.',
      ],
      act: [
        'Shorten the retention of usage or content in the configuration.',
        'Make room or move the data directory to a larger disk.',
      ],
      fires: {
        samples: { 'gatewright_data_disk_free_bytes{instance="gw-1"}': '5e8x30' },
        at: '20m',
        labels: one,
      },
      quiet: { 'gatewright_data_disk_free_bytes{instance="gw-1"}': '5e10x30' },
    },
    {
      name: 'GatewrightUsageLags',
      severity: 'ticket',
      ...compare('gatewright_usage_lag_seconds', '> 120'),
      for: '10m',
      summary: 'Usage of {{ $labels.instance }} has not been summed for minutes.',
      meaning:
        'Nothing is lost: records are on disk. Reports and budgets that are read from the database are behind.',
      look: [
        'How far behind: `gatewright_usage_lag_seconds`.',
        'The log lines `usage.storage`, and the database.',
      ],
      act: ['Bring the database back, or make room there; what is behind is summed then.'],
      fires: {
        samples: { 'gatewright_usage_lag_seconds{instance="gw-1"}': '300x30' },
        at: '20m',
        labels: one,
      },
      quiet: { 'gatewright_usage_lag_seconds{instance="gw-1"}': '2x30' },
    },
    {
      name: 'GatewrightUsageHeld',
      severity: 'page',
      ...compare('gatewright_usage_held_bytes', '> 32e6'),
      for: '5m',
      summary: '{{ $labels.instance }} holds much usage in memory that is not on disk.',
      meaning:
        'The disk is slow or full. When the workers have no more room they serve nothing, so that no usage is lost.',
      look: [
        '`gatewright_usage_held_bytes`, `gatewright_data_disk_free_bytes`.',
        'How busy the disk is: `iostat -x 1`.',
      ],
      act: ['Make room, or move the data directory to a disk that keeps up.'],
      fires: {
        samples: { 'gatewright_usage_held_bytes{instance="gw-1"}': '4e7x30' },
        at: '20m',
        labels: one,
      },
      quiet: { 'gatewright_usage_held_bytes{instance="gw-1"}': '2000x30' },
    },
    {
      name: 'GatewrightUsageMalformed',
      severity: 'ticket',
      ...compare('increase(gatewright_usage_records_total{result="malformed"}[1h])', '> 0'),
      for: '0m',
      summary: 'The usage log of {{ $labels.instance }} has lines that are no records.',
      meaning: 'Such lines count in no sum. A disk that fails or somebody who writes to the file makes them.',
      look: [
        'How many: `gatewright_usage_records_total`.',
        'Messages of the kernel about the disk: `dmesg`.',
      ],
      act: [
        'Find out who writes to the data directory; nobody but the gateway should.',
        'Copy the log before its retention removes it.',
      ],
      fires: {
        samples: { 'gatewright_usage_records_total{instance="gw-1",result="malformed"}': '0+1x30' },
        at: '20m',
        labels: { ...one, result: 'malformed' },
      },
      quiet: {
        'gatewright_usage_records_total{instance="gw-1",result="malformed"}': '2x30',
        'gatewright_usage_records_total{instance="gw-1",result="summed"}': '0+60x30',
      },
    },
    {
      name: 'GatewrightRequestsUnpriced',
      severity: 'ticket',
      expr: 'sum by (model, provider) (increase(gatewright_unpriced_requests_total[1h])) > 10',
      signals: ['sum by (model, provider) (increase(gatewright_unpriced_requests_total[1h]))'],
      for: '0m',
      summary: 'Requests for {{ $labels.model }} at {{ $labels.provider }} have no price.',
      meaning: 'They cost nothing in reports, and budgets in money do not see them.',
      look: ['Which: `sum by (model, provider) (increase(gatewright_unpriced_requests_total[1d]))`.'],
      act: [
        'Give the model a price in the configuration; the prices that come with the product are in docs/reference/prices.md.',
      ],
      fires: {
        samples: { 'gatewright_unpriced_requests_total{model="new",provider="openai"}': '0+2x60' },
        at: '50m',
        labels: { model: 'new', provider: 'openai' },
      },
      quiet: { 'gatewright_unpriced_requests_total{model="new",provider="openai"}': '40x60' },
    },
    {
      name: 'GatewrightSpendJumps',
      severity: 'ticket',
      expr: `${cost} > 3 * sum(rate(gatewright_cost_usd_total[1d] offset 1h)) and ${cost} * 3600 > 10`,
      signals: [cost],
      for: '15m',
      summary: 'More than three times as much is spent in an hour as on average in the day before.',
      meaning: 'More use than usual, a dearer model, or an abused key.',
      look: [
        'On what: `topk(5, sum by (model, provider) (rate(gatewright_cost_usd_total[1h])) * 3600)`.',
        'By whom: the usage report by key, this hour against the day before.',
      ],
      act: [
        'A key that nobody can explain: revoke it, and look where it was used from.',
        'Wanted: give the consumer a budget, so that it is bounded the next time.',
      ],
      fires: { samples: { gatewright_cost_usd_total: '0+0.1x1440 _ 145+5x180' }, at: '27h', labels: {} },
      quiet: { gatewright_cost_usd_total: '0+5x1800' },
    },
  ],
}
