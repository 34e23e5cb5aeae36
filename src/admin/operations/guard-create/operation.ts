import { Type } from 'typebox'
import { givenGuardFields, givenGuardMatchSchema, readGuardMatch } from '../../../config/index.ts'
import { createOperation } from '../../resource.ts'
import { checkGuard, guards } from '../../resources/guards.ts'
import { closed } from '../../schemas.ts'

export const guardCreate = createOperation(guards, {
  description: 'It holds from the next exchange on.',
  body: closed({ ...givenGuardFields, match: Type.Optional(givenGuardMatchSchema) }),
  build: (_ctx, _organization, { match, ...given }) => ({
    ...checkGuard(given),
    match: readGuardMatch(match),
  }),
  store: (ctx, record) => ctx.deps.store.guards.create(record),
})
