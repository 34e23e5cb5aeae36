/** What the dashboards of Kibana show: rows of panels, over the documents of one stream each. */
import type { Panel } from './lens-panel.ts'

export interface Dashboard {
  readonly id: string
  readonly title: string
  readonly description: string
  /** Id of a row of `dataViews`. */
  readonly dataView: string
  /** Panels of a row have 48 columns together, at most. */
  readonly rows: readonly (readonly Panel[])[]
  /** A saved search below the rows. */
  readonly list: string
}

export const dataViews = [
  { id: 'gatewright-events', name: 'Gatewright: all events', title: 'logs-gatewright.*-*' },
  { id: 'gatewright-access', name: 'Gatewright: calls', title: 'logs-gatewright.access-*' },
  { id: 'gatewright-usage', name: 'Gatewright: usage', title: 'logs-gatewright.usage-*' },
  { id: 'gatewright-security', name: 'Gatewright: security', title: 'logs-gatewright.security-*' },
  { id: 'gatewright-audit', name: 'Gatewright: audit', title: 'logs-gatewright.audit-*' },
] as const

export interface Search {
  readonly id: string
  readonly title: string
  readonly dataView: string
  readonly query: string
  readonly columns: readonly string[]
}

export const searches: readonly Search[] = [
  {
    id: 'gatewright-refusals',
    title: 'Gatewright: what was refused',
    dataView: 'gatewright-security',
    query: 'event.outcome : failure',
    columns: ['event.action', 'event.reason', 'organization.id', 'user.id', 'source.ip'],
  },
  {
    id: 'gatewright-changes',
    title: 'Gatewright: what administrators did',
    dataView: 'gatewright-audit',
    query: '',
    columns: [
      'event.action',
      'event.outcome',
      'user.id',
      'gatewright.resource.kind',
      'gatewright.resource.id',
    ],
  },
  {
    id: 'gatewright-costly-calls',
    title: 'Gatewright: what was consumed',
    dataView: 'gatewright-usage',
    query: '',
    columns: [
      'organization.id',
      'gatewright.application.id',
      'gen_ai.request.model',
      'gen_ai.usage.input_tokens',
      'gen_ai.usage.output_tokens',
      'gatewright.exchange.cost_micro_usd',
    ],
  },
]

const events = (label: string) => ({ label, is: 'count' }) as const
const total = (label: string, field: string) => ({ label, is: 'sum', field }) as const
const distinct = (label: string, field: string) => ({ label, is: 'unique_count', field }) as const
const cost = total('Cost, millionths of US$', 'gatewright.exchange.cost_micro_usd')
const input = total('Input tokens', 'gen_ai.usage.input_tokens')
const output = total('Output tokens', 'gen_ai.usage.output_tokens')

const security: Dashboard = {
  id: 'gatewright-security',
  title: 'Gatewright: security',
  description: 'Who was turned away, why, and from where.',
  dataView: 'gatewright-security',
  list: 'gatewright-refusals',
  rows: [
    [
      { title: 'Refusals', kind: 'metric', width: 12, measures: [events('Refusals')] },
      {
        title: 'Alerts',
        kind: 'metric',
        width: 12,
        query: 'event.kind : alert',
        measures: [events('Medium and above')],
      },
      { title: 'Addresses', kind: 'metric', width: 12, measures: [distinct('Addresses', 'source.ip')] },
      { title: 'Keys', kind: 'metric', width: 12, measures: [distinct('Keys and tokens', 'user.id')] },
    ],
    [
      { title: 'By action', kind: 'bar', width: 24, measures: [events('Events')], by: ['event.action'] },
      {
        title: 'By severity',
        kind: 'bar',
        width: 24,
        measures: [events('Events')],
        by: ['gatewright.severity'],
      },
    ],
    [
      { title: 'Why', kind: 'table', width: 16, measures: [events('Events')], by: ['event.reason'] },
      {
        title: 'From where',
        kind: 'table',
        width: 16,
        measures: [events('Events'), distinct('Keys', 'user.id')],
        by: ['source.ip'],
      },
      {
        title: 'By whom',
        kind: 'table',
        width: 16,
        measures: [events('Events'), distinct('Addresses', 'source.ip')],
        by: ['organization.id', 'user.id'],
      },
    ],
  ],
}

const audit: Dashboard = {
  id: 'gatewright-audit',
  title: 'Gatewright: audit',
  description: 'What administrators did to configuration, keys and secrets, and what they were refused.',
  dataView: 'gatewright-audit',
  list: 'gatewright-changes',
  rows: [
    [
      { title: 'Acts', kind: 'metric', width: 12, measures: [events('Acts')] },
      {
        title: 'Refused',
        kind: 'metric',
        width: 12,
        query: 'event.outcome : failure',
        measures: [events('Refused or failed')],
      },
      { title: 'Actors', kind: 'metric', width: 12, measures: [distinct('Actors', 'user.id')] },
      {
        title: 'Keys and accounts',
        kind: 'metric',
        width: 12,
        query: 'event.category : iam',
        measures: [events('Acts on keys and accounts')],
      },
    ],
    [
      { title: 'By category', kind: 'bar', width: 24, measures: [events('Acts')], by: ['event.category'] },
      { title: 'By outcome', kind: 'bar', width: 24, measures: [events('Acts')], by: ['event.outcome'] },
    ],
    [
      { title: 'What was done', kind: 'table', width: 16, measures: [events('Acts')], by: ['event.action'] },
      {
        title: 'By whom',
        kind: 'table',
        width: 16,
        measures: [events('Acts'), distinct('Addresses', 'source.ip')],
        by: ['gatewright.actor.kind', 'user.id'],
      },
      {
        title: 'To what',
        kind: 'table',
        width: 16,
        measures: [events('Acts')],
        by: ['gatewright.resource.kind', 'gatewright.resource.id'],
      },
    ],
  ],
}

const usage: Dashboard = {
  id: 'gatewright-usage',
  title: 'Gatewright: usage',
  description: 'Calls, tokens and cost, by organization, application, key and model.',
  dataView: 'gatewright-usage',
  list: 'gatewright-costly-calls',
  rows: [
    [
      { title: 'Calls', kind: 'metric', width: 12, measures: [events('Calls')] },
      { title: 'Input', kind: 'metric', width: 12, measures: [input] },
      { title: 'Output', kind: 'metric', width: 12, measures: [output] },
      { title: 'Cost', kind: 'metric', width: 12, measures: [cost] },
    ],
    [
      { title: 'Cost by model', kind: 'bar', width: 24, measures: [cost], by: ['gen_ai.request.model'] },
      { title: 'Tokens', kind: 'line', width: 24, measures: [input, output] },
    ],
    [
      {
        title: 'Time until an answer is whole',
        kind: 'line',
        width: 24,
        measures: [
          { label: 'Median, ns', is: 'percentile', field: 'event.duration', percentile: 50 },
          { label: '95 of 100, ns', is: 'percentile', field: 'event.duration', percentile: 95 },
        ],
      },
      {
        title: 'Answers by status',
        kind: 'bar',
        width: 24,
        measures: [events('Calls')],
        by: ['http.response.status_code'],
      },
    ],
    [
      {
        title: 'Organizations and applications',
        kind: 'table',
        width: 24,
        measures: [cost, events('Calls'), input, output],
        by: ['organization.id', 'gatewright.application.id'],
      },
      {
        title: 'Models and providers',
        kind: 'table',
        width: 24,
        measures: [cost, events('Calls'), input, output],
        by: ['gen_ai.request.model', 'gen_ai.system'],
      },
    ],
  ],
}

export const dashboards: readonly Dashboard[] = [security, audit, usage]
