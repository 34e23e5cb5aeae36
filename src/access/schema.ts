/**
 * The published Cedar schema: which principals, actions, resources and context policies may speak of. Actions come
 * from the table of operations; nothing else is known to a policy. `docs/reference/policy-schema.md` shows it.
 */
import { type Operation, operations, type TrafficClass } from '../domain/operations.ts'
import { type Entity, EntityUid, recordOf } from './values.ts'

/** Action groups, by traffic class. */
export const actionGroups: Readonly<Record<TrafficClass, string>> = Object.freeze({
  G: 'generate',
  U: 'compute',
  M: 'list',
  P: 'transfer',
})

const entities = `// Names are unique within an organization, and a policy sees its own organization alone.
entity Organization;
entity Team in [Organization];
// Named by its slug.
entity Application in [Team, Organization] { team: String };
// Named by the public key id.
entity Key in [Application] { application: Application, environment: String };
// Named by its slug.
entity Product in [Organization];
// Named by the route's own name, whatever alias was asked for. In the product through which it is used.
entity ModelRoute in [Product, Organization];

type Call = {
  // The model as the caller named it; operations without a model have none.
  model?: String,
  operation: String,
  ip: ipaddr,
  // UTC. weekday: 1 is Monday, 7 is Sunday.
  time: { unixSeconds: Long, hour: Long, minute: Long, weekday: Long },
  // method: "api-key" or "access-token". strength: 1 is a bearer secret.
  authentication: { method: String, strength: Long },
  // Not filled in yet: a policy that needs one of these asks for it with \`has\`.
  country?: String,
  riskScore?: Long,
  dataClassification?: String,
};`

function describeAction({ id, trafficClass, model }: Operation): string {
  const resource = model === 'none' ? 'Organization' : 'ModelRoute'
  return `action ${JSON.stringify(id)} in [${JSON.stringify(actionGroups[trafficClass])}] appliesTo { principal: [Key], resource: [${resource}], context: Call };`
}

let written: string | null = null

/** The schema as Cedar text. */
export function accessSchema(): string {
  written ??= [
    entities,
    `// Groups: calls that generate, other calls of a model, listings, and what is passed through.\n${Object.values(
      actionGroups,
    )
      .map((group) => `action ${JSON.stringify(group)};`)
      .join('\n')}`,
    operations.map(describeAction).join('\n'),
    '',
  ].join('\n\n')
  return written
}

const none = recordOf({})

/** The actions as entities, by operation id. */
export const actions: ReadonlyMap<string, Entity> = new Map(
  operations.map(({ id, trafficClass }) => [
    id,
    Object.freeze({
      uid: new EntityUid('Action', id),
      attributes: none,
      ancestors: [new EntityUid('Action', actionGroups[trafficClass])],
    }),
  ]),
)
