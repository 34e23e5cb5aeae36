import { buckets, type Dashboard, graph, heatmap, quantile, rate, table, total } from '../panel.ts'

const chosen = 'model=~"$model",provider=~"$provider"'
const asked = 'model=~"$model"'
const inferred = 'gen_ai_request_model=~"$model"'

export const modelPerformance: Dashboard = {
  uid: 'gatewright-models',
  title: 'Gatewright: model performance',
  about: 'How fast and how well models answer. Calls of providers go by the model’s name there.',
  variables: [
    { name: 'model', label: 'Model', of: 'gatewright_requests_total' },
    { name: 'provider', label: 'Provider', of: 'gatewright_requests_total' },
  ],
  sections: [
    {
      title: 'As callers see it',
      panels: [
        graph(
          'First token, p95',
          { unit: 's', help: 'From the arrival of a request to the first byte of its stream.' },
          {
            '{{model}} {{provider}}': quantile(0.95, 'gatewright_time_to_first_token_seconds', {
              labels: 'model, provider',
              match: chosen,
            }),
          },
        ),
        graph(
          'Duration, p95',
          { unit: 's', help: 'Streamed (true) and whole (false) answers.' },
          {
            '{{model}} stream={{stream}}': quantile(0.95, 'gatewright_request_duration_seconds', {
              labels: 'model, stream',
              match: asked,
            }),
          },
        ),
        heatmap(
          'First token',
          { unit: 's', help: 'How first tokens are spread.' },
          {
            '{{le}}': buckets('gatewright_time_to_first_token_seconds', chosen),
          },
        ),
        heatmap(
          'Duration',
          { unit: 's', help: 'How durations are spread.' },
          {
            '{{le}}': buckets('gatewright_request_duration_seconds', asked),
          },
        ),
        graph(
          'Requests',
          { unit: 'reqps', help: 'By model and outcome.' },
          {
            '{{model}} {{outcome}}': rate('gatewright_requests_total', 'model, outcome', chosen),
          },
        ),
        graph(
          'Tokens a second',
          { unit: 'short', help: 'All requests together.' },
          {
            '{{model}} {{direction}}': rate('gatewright_tokens_total', 'model, direction', chosen),
          },
        ),
      ],
    },
    {
      title: 'As providers do it',
      panels: [
        graph(
          'Call to end, p95',
          { unit: 's', help: 'Without what the gateway adds.' },
          {
            '{{provider}} {{model}} {{outcome}}': quantile(0.95, 'gatewright_upstream_duration_seconds', {
              labels: 'provider, model, outcome',
              match: 'provider=~"$provider"',
            }),
          },
        ),
        graph(
          'Call to first content, p95',
          { unit: 's', help: 'Of streams.' },
          {
            '{{provider}} {{model}}': quantile(0.95, 'gatewright_upstream_first_chunk_seconds', {
              labels: 'provider, model',
              match: 'provider=~"$provider"',
            }),
          },
        ),
        table(
          'Tries',
          { unit: 'short', help: 'In the time shown, by what came of them.' },
          {
            '': total(
              'gatewright_upstream_attempts_total',
              'provider, model, outcome',
              'provider=~"$provider"',
            ),
          },
        ),
        graph(
          'Tries that fail',
          { unit: 'percentunit', warn: [0.05, 0.2], help: 'Share by provider.' },
          {
            '{{provider}}': `${rate('gatewright_upstream_attempts_total', 'provider', 'outcome!="ok",provider=~"$provider"')} / ${rate('gatewright_upstream_attempts_total', 'provider', 'provider=~"$provider"')}`,
          },
        ),
      ],
    },
    {
      title: 'OpenTelemetry GenAI names',
      panels: [
        graph(
          'Operation duration, p95',
          { unit: 's', help: 'gen_ai.client.operation.duration.' },
          {
            '{{gen_ai_provider_name}} {{gen_ai_operation_name}}': quantile(
              0.95,
              'gen_ai_client_operation_duration_seconds',
              { labels: 'gen_ai_provider_name, gen_ai_operation_name', match: inferred },
            ),
          },
        ),
        graph(
          'Time to first chunk, p95',
          { unit: 's', help: 'gen_ai.client.operation.time_to_first_chunk.' },
          {
            '{{gen_ai_provider_name}}': quantile(
              0.95,
              'gen_ai_client_operation_time_to_first_chunk_seconds',
              { labels: 'gen_ai_provider_name', match: inferred },
            ),
          },
        ),
        graph(
          'Tokens of a request, p95',
          { unit: 'short', help: 'gen_ai.client.token.usage.' },
          {
            '{{gen_ai_request_model}} {{gen_ai_token_type}}': quantile(0.95, 'gen_ai_client_token_usage', {
              labels: 'gen_ai_request_model, gen_ai_token_type',
              match: inferred,
            }),
          },
        ),
        graph(
          'Request duration, p95',
          { unit: 's', help: 'gen_ai.server.request.duration.' },
          {
            '{{gen_ai_request_model}}': quantile(0.95, 'gen_ai_server_request_duration_seconds', {
              labels: 'gen_ai_request_model',
              match: inferred,
            }),
          },
        ),
        graph(
          'Time per output token, p95',
          { unit: 's', help: 'gen_ai.server.time_per_output_token, of streams.' },
          {
            '{{gen_ai_request_model}}': quantile(0.95, 'gen_ai_server_time_per_output_token_seconds', {
              labels: 'gen_ai_request_model',
              match: inferred,
            }),
          },
        ),
        graph(
          'Errors',
          { unit: 'reqps', help: 'Calls that went wrong, by error.type.' },
          {
            '{{gen_ai_provider_name}} {{error_type}}': rate(
              'gen_ai_client_operation_duration_seconds_count',
              'gen_ai_provider_name, error_type',
              'error_type!=""',
            ),
          },
        ),
      ],
    },
  ],
}
