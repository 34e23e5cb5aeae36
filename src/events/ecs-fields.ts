/**
 * The fields that `ecs-document.ts` writes, with the types that the field reference of ECS 9.1.0 gives them (the first
 * release with `gen_ai.*`). `own` are fields outside ECS; the index templates are made from both tables.
 */
export const ecsVersion = '9.1.0'

export type EcsType =
  | 'boolean'
  | 'constant_keyword'
  | 'date'
  | 'float'
  | 'integer'
  | 'ip'
  | 'keyword'
  | 'long'
  | 'match_only_text'

export const ecsFields: Readonly<Record<string, EcsType>> = Object.freeze({
  '@timestamp': 'date',
  'client.user.id': 'keyword',
  'data_stream.dataset': 'constant_keyword',
  'data_stream.namespace': 'constant_keyword',
  'data_stream.type': 'constant_keyword',
  'ecs.version': 'keyword',
  'error.code': 'keyword',
  'event.action': 'keyword',
  'event.category': 'keyword',
  'event.dataset': 'keyword',
  'event.duration': 'long',
  'event.id': 'keyword',
  'event.kind': 'keyword',
  'event.module': 'keyword',
  'event.outcome': 'keyword',
  'event.reason': 'keyword',
  'event.severity': 'long',
  'event.type': 'keyword',
  'gen_ai.operation.name': 'keyword',
  'gen_ai.request.model': 'keyword',
  'gen_ai.response.model': 'keyword',
  'gen_ai.system': 'keyword',
  'gen_ai.usage.input_tokens': 'integer',
  'gen_ai.usage.output_tokens': 'integer',
  'http.request.body.bytes': 'long',
  'http.request.id': 'keyword',
  'http.response.body.bytes': 'long',
  'http.response.status_code': 'long',
  message: 'match_only_text',
  'observer.product': 'keyword',
  'observer.type': 'keyword',
  'observer.vendor': 'keyword',
  'observer.version': 'keyword',
  'organization.id': 'keyword',
  'source.ip': 'ip',
  'span.id': 'keyword',
  'trace.id': 'keyword',
  'user.id': 'keyword',
})

export const ownFields: Readonly<Record<string, EcsType>> = Object.freeze({
  'gatewright.actor.kind': 'keyword',
  'gatewright.application.id': 'keyword',
  'gatewright.count': 'long',
  'gatewright.checkpoint': 'keyword',
  'gatewright.exchange.attempts': 'long',
  'gatewright.exchange.cached_input_tokens': 'long',
  'gatewright.exchange.cost_micro_usd': 'long',
  'gatewright.exchange.deployment.id': 'keyword',
  'gatewright.exchange.dialect': 'keyword',
  'gatewright.exchange.first_byte_ms': 'float',
  'gatewright.exchange.overhead_ms': 'float',
  'gatewright.exchange.reasoning_tokens': 'long',
  'gatewright.exchange.streamed': 'boolean',
  'gatewright.resource.id': 'keyword',
  'gatewright.resource.kind': 'keyword',
  'gatewright.severity': 'keyword',
})
