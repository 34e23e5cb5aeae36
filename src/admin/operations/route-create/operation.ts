import { Type } from 'typebox'
import { createOperation } from '../../resource.ts'
import { givenTargets, resolveTargets, routeFields, routes } from '../../resources/routes.ts'
import { closed } from '../../schemas.ts'

export const routeCreate = createOperation(routes, {
  body: closed({
    name: routeFields.name,
    aliases: Type.Optional(routeFields.aliases),
    description: Type.Optional(routeFields.description),
    enabled: Type.Optional(routeFields.enabled),
    timeouts: Type.Optional(routeFields.timeouts),
    policy: Type.Optional(routeFields.policy),
    targets: givenTargets,
  }),
  build: async (ctx, organization, body) => ({
    name: body.name,
    aliases: body.aliases ?? [],
    description: body.description ?? '',
    enabled: body.enabled ?? true,
    timeouts: body.timeouts ?? {},
    policy: body.policy ?? {},
    targets: await resolveTargets(ctx, organization.id, body.targets),
  }),
  store: (ctx, record) => ctx.deps.store.routes.create(record),
})
