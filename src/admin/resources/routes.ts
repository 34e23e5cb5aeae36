/** Model routes: a public model name and the deployments that serve it. */
import { type Static, Type } from 'typebox'
import { routePolicySchema } from '../../config/index.ts'
import type { ModelRoute, RouteTarget } from '../../domain/entities.ts'
import { openRecord } from '../access.ts'
import type { AdminContext } from '../context.ts'
import type { Resource } from '../resource.ts'
import {
  closed,
  longText,
  modelPattern,
  named,
  nullable,
  reference,
  storedFields,
  timeouts,
} from '../schemas.ts'
import { showFields } from '../show-fields.ts'

const providerModel = nullable(
  Type.String({ minLength: 1, maxLength: 200 }),
  'Model name at the provider; null: the name that was asked for.',
)
const priority = Type.Integer({ description: 'Lower numbers are tried first.', minimum: 0, maximum: 100 })
const weight = Type.Integer({
  description: 'Share among targets of one priority.',
  minimum: 0,
  maximum: 10_000,
})
const shownDeployment = Type.String({ description: 'Slug of the deployment.' })

const bounds = { minItems: 1, maxItems: 64 }

/** Targets as given: everything but the deployment may be left out. */
export const givenTargets = Type.Array(
  closed({
    deployment: reference('deployment'),
    model: Type.Optional(providerModel),
    priority: Type.Optional(priority),
    weight: Type.Optional(weight),
  }),
  { ...bounds, description: 'Deployments that serve the model.' },
)

export const routeFields = {
  name: modelPattern,
  aliases: Type.Array(
    Type.String({ minLength: 1, maxLength: 200, pattern: '^[^\\u0000-\\u0020\\u007f*]+$' }),
    {
      description: 'Other names of the same route.',
      maxItems: 64,
    },
  ),
  description: longText,
  enabled: Type.Boolean({ description: 'False takes the route out of service.' }),
  timeouts: timeouts('Timeouts of this route; what is left out follows the deployment.'),
  policy: routePolicySchema,
}

const view = named(
  'ModelRoute',
  {
    ...storedFields,
    organizationId: Type.String(),
    ...routeFields,
    targets: Type.Array(
      closed({ deployment: shownDeployment, model: providerModel, priority, weight }),
      bounds,
    ),
  },
  'A public model name and the deployments that serve it.',
)

export const routes: Resource<ModelRoute, typeof view> = {
  noun: 'model route',
  plural: 'model routes',
  idPrefix: 'rte',
  uniqueName: 'name',
  view,
  table: (tables) => tables.routes,
  show: showFields(view),
}

/** Given targets with every default filled in, naming existing deployments by slug. @throws 404 */
export function resolveTargets(
  ctx: AdminContext,
  organizationId: string,
  given: Static<typeof givenTargets>,
): Promise<RouteTarget[]> {
  return Promise.all(
    given.map(async (target) => {
      const wanted = { noun: 'deployment', organizationId, reference: target.deployment }
      const deployment = await openRecord(ctx.deps.store.deployments, wanted)
      return {
        deployment: deployment.slug,
        model: target.model ?? null,
        priority: target.priority ?? 0,
        weight: target.weight ?? 1,
      }
    }),
  )
}
