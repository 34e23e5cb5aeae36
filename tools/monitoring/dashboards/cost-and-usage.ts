import { bars, type Dashboard, graph, of, rate, stat, table, total } from '../panel.ts'

const chosen = 'model=~"$model",provider=~"$provider"'
const ofOrganization = 'organization=~"$organization"'

export const costAndUsage: Dashboard = {
  uid: 'gatewright-cost',
  title: 'Gatewright: cost and usage',
  about:
    'What is used and what it costs, by model and provider. By consumer: the usage reports, because no metric names one.',
  variables: [
    { name: 'model', label: 'Model', of: 'gatewright_tokens_total' },
    { name: 'provider', label: 'Provider', of: 'gatewright_tokens_total' },
    { name: 'organization', label: 'Organization', of: 'gatewright_limit_decisions_total' },
  ],
  sections: [
    {
      title: 'Cost',
      panels: [
        stat(
          'In the time shown',
          { unit: 'currencyUSD', width: 6, help: 'At the prices of the configuration.' },
          { cost: total('gatewright_cost_usd_total', '', chosen) },
        ),
        stat(
          'Per hour',
          { unit: 'currencyUSD', width: 6, help: 'At the pace of now.' },
          { cost: `${rate('gatewright_cost_usd_total', '', chosen)} * 3600` },
        ),
        stat(
          'Per 1000 requests',
          { unit: 'currencyUSD', width: 6, help: 'Over the time shown.' },
          {
            cost: `${total('gatewright_cost_usd_total', '', chosen)} / ${total('gatewright_requests_total', '', chosen)} * 1000`,
          },
        ),
        stat(
          'Without price',
          {
            unit: 'short',
            width: 6,
            warn: [1, 100],
            help: 'Requests that reached a provider and have no price.',
          },
          {
            requests: `${total('gatewright_unpriced_requests_total', '', chosen)} or vector(0)`,
          },
        ),
        graph(
          'By model, per hour',
          { unit: 'currencyUSD', help: 'At the pace of the moment.' },
          {
            '{{model}}': `${rate('gatewright_cost_usd_total', 'model', chosen)} * 3600`,
          },
        ),
        graph(
          'By API product, per hour',
          { unit: 'currencyUSD', help: 'Ids of products; `gatewright products list` has their names.' },
          {
            '{{product}}': `${rate('gatewright_product_cost_usd_total', 'product', ofOrganization)} * 3600`,
          },
        ),
        graph(
          'Requests by API product',
          { unit: 'reqps', help: 'As they end.' },
          {
            '{{product}}': rate('gatewright_product_requests_total', 'product', ofOrganization),
          },
        ),
        table(
          'Models',
          { unit: 'currencyUSD', help: 'In the time shown.' },
          { '': total('gatewright_cost_usd_total', 'model, provider', chosen) },
        ),
      ],
    },
    {
      title: 'Tokens',
      panels: [
        graph(
          'By direction and kind',
          { unit: 'short', help: 'A second; no token stands in two kinds.' },
          {
            '{{direction}} {{kind}}': rate('gatewright_tokens_total', 'direction, kind', chosen),
          },
        ),
        graph(
          'Figures and estimates',
          { unit: 'percentunit', help: 'Share of tokens by where the figure is from.' },
          {
            '{{source}}': `${rate('gatewright_tokens_total', 'source', chosen)} / on () group_left () ${rate('gatewright_tokens_total', '', chosen)}`,
          },
        ),
        graph(
          'Estimates that were compared',
          {
            unit: 'short',
            help: 'Input tokens that were estimated for a limit and compared with the provider’s figure.',
          },
          {
            '{{model}}': rate('gatewright_token_estimates_total', 'model', chosen),
          },
        ),
        graph(
          'How good estimates are',
          {
            unit: 'percentunit',
            help: 'error: how far off, either way · ratio: actual / estimated · correction: what the next are multiplied by.',
          },
          {
            '{{model}} error': of('gatewright_token_estimate_error_ratio', chosen),
            '{{model}} ratio': of('gatewright_token_estimate_ratio', chosen),
            '{{model}} correction': of('gatewright_token_estimate_correction_ratio', chosen),
          },
        ),
      ],
    },
    {
      title: 'Budgets, limits and the response cache',
      panels: [
        bars(
          'Budget left',
          { unit: 'percentunit', help: 'Limits by the calendar that are one for all, as nodes last heard.' },
          {
            '{{organization}} {{limit}} ({{period}}, {{meter}})': `min by (organization, limit, period, meter) (${of('gatewright_budget_remaining_ratio', ofOrganization)})`,
          },
        ),
        graph(
          'Limits: refused and exceeded',
          {
            unit: 'short',
            width: 8,
            help: 'Refused by limits in force; exceeded where they only warn or watch.',
          },
          {
            '{{limit}} {{mode}} {{decision}}': rate(
              'gatewright_limit_decisions_total',
              'limit, mode, decision',
              ofOrganization,
            ),
          },
        ),
        graph(
          'Response cache',
          { unit: 'reqps', width: 8, help: 'Requests on routes that keep answers.' },
          {
            '{{result}}': rate('gatewright_cache_requests_total', 'result'),
          },
        ),
        graph(
          'Records of usage',
          { unit: 'short', help: 'Lines of the usage log: summed, repeated, or malformed.' },
          {
            '{{result}}': rate('gatewright_usage_records_total', 'result'),
          },
        ),
        graph(
          'Behind',
          { unit: 's', help: 'How long ago usage was last summed while more is on disk.' },
          { '{{instance}}': of('gatewright_usage_lag_seconds') },
        ),
      ],
    },
  ],
}
