import { updateOperation } from '../../resource.ts'
import { givenTargets, resolveTargets, routeFields, routes } from '../../resources/routes.ts'

export const routeUpdate = updateOperation(routes, {
  description:
    'Fields left out stay as they are; `targets`, `timeouts` and `policy` are replaced as a whole.',
  body: { ...routeFields, targets: givenTargets },
  faults: ['conflict'],
  async change(ctx, record, { fields: { targets, ...fields }, terms }) {
    const patch =
      targets === undefined
        ? fields
        : { ...fields, targets: await resolveTargets(ctx, record.organizationId, targets) }
    return ctx.deps.store.routes.update(record.organizationId, record.id, { patch, ...terms })
  },
})
