import { Type } from 'typebox'
import { listOperation } from '../../resource.ts'
import { keys } from '../../resources/keys.ts'
import { oneOf, recordId } from '../../schemas.ts'

export const keyList = listOperation(keys, {
  applicationId: Type.Optional(recordId('app')),
  state: Type.Optional(oneOf(['active', 'revoked'], 'In this state only.')),
})
