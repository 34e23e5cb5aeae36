import { updateOperation } from '../../resource.ts'
import { applicationFields, applications } from '../../resources/applications.ts'

export const applicationUpdate = updateOperation(applications, {
  body: applicationFields,
  change: (ctx, record, { fields, terms }) =>
    ctx.deps.store.applications.update(record.organizationId, record.id, { patch: fields, ...terms }),
})
