import { Type } from 'typebox'
import { troubles } from '../../../routing/index.ts'
import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { routes } from '../../resources/routes.ts'
import { closed, nullable, oneOf } from '../../schemas.ts'

export const routeHealth = defineOperation({
  tag: routes.plural,
  summary: 'Say which targets of a model route are in use',
  description:
    'What the data plane of this node knows of each target whose deployment is in service. Nothing is called.',
  params: memberParams(routes),
  success: {
    status: 200,
    description: 'The targets, in the order of the route.',
    schema: closed({
      targets: Type.Array(
        closed({
          deployment: Type.String({ description: 'Slug of the deployment.' }),
          model: nullable(Type.String(), 'Model name at the provider; null: the name that is asked for.'),
          trouble: oneOf(
            troubles,
            '`none`: in use. `cooling`: the provider asked for a pause. `open`: too many calls failed. `retired`: the credential was refused. `unhealthy`: the health check failed.',
          ),
          waitMs: Type.Number({ description: 'Until it may be tried again, milliseconds.', minimum: 0 }),
          outages: Type.Integer({ description: 'How often it went out of use since the start.', minimum: 0 }),
        }),
      ),
    }),
  },
  faults: ['objectNotFound'],
  async run(ctx, { params }) {
    const targets = ctx.deps.routeHealth(await openMember(ctx, routes, params))
    return { targets: [...targets] }
  },
})
