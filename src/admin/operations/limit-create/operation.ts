import { Type } from 'typebox'
import { givenLimitFields, givenMatchSchema, readLimitMatch } from '../../../config/index.ts'
import { checkTerms } from '../../limit-terms.ts'
import { createOperation } from '../../resource.ts'
import { limits } from '../../resources/limits.ts'
import { closed } from '../../schemas.ts'

export const limitCreate = createOperation(limits, {
  description: 'It counts, and holds, from the next exchange on.',
  body: closed({ ...givenLimitFields, match: Type.Optional(givenMatchSchema) }),
  build: (_ctx, _organization, { match, ...given }) => ({
    ...checkTerms(given),
    match: readLimitMatch(match),
  }),
  store: (ctx, record) => ctx.deps.store.limits.create(record),
})
