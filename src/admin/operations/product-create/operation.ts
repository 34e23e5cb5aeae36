import { Type } from 'typebox'
import { createOperation } from '../../resource.ts'
import { productFields, products } from '../../resources/products.ts'
import { closed, slug } from '../../schemas.ts'

export const productCreate = createOperation(products, {
  description: 'A new product is a draft that opens nothing unless `state` says otherwise.',
  body: closed({
    slug,
    name: Type.Optional(productFields.name),
    version: Type.Optional(productFields.version),
    description: Type.Optional(productFields.description),
    state: Type.Optional(productFields.state),
    operations: productFields.operations,
    models: productFields.models,
  }),
  build: (_ctx, _organization, body) => ({
    slug: body.slug,
    name: body.name ?? body.slug,
    version: body.version ?? '1',
    description: body.description ?? '',
    state: body.state ?? 'draft',
    operations: body.operations,
    models: body.models,
  }),
  store: (ctx, record) => ctx.deps.store.products.create(record),
})
