import { updateOperation } from '../../resource.ts'
import { productFields, products } from '../../resources/products.ts'

export const productUpdate = updateOperation(products, {
  body: productFields,
  change: (ctx, record, { fields, terms }) =>
    ctx.deps.store.products.update(record.organizationId, record.id, { patch: fields, ...terms }),
})
