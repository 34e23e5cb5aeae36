import { Type } from 'typebox'
import { createOperation } from '../../resource.ts'
import { applicationFields, applications } from '../../resources/applications.ts'
import { closed, slug } from '../../schemas.ts'

export const applicationCreate = createOperation(applications, {
  body: closed({
    slug,
    name: Type.Optional(applicationFields.name),
    description: Type.Optional(applicationFields.description),
    team: Type.Optional(applicationFields.team),
    keyPolicy: Type.Optional(applicationFields.keyPolicy),
  }),
  build: (_ctx, _organization, body) => ({
    slug: body.slug,
    name: body.name ?? body.slug,
    description: body.description ?? '',
    team: body.team ?? '',
    keyPolicy: body.keyPolicy ?? {},
  }),
  store: (ctx, record) => ctx.deps.store.applications.create(record),
})
