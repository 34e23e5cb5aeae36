import { Type } from 'typebox'
import { keyStates } from '../../../domain/entities.ts'
import { listOperation } from '../../resource.ts'
import { keys } from '../../resources/keys.ts'
import { oneOf, recordId } from '../../schemas.ts'

export const keyList = listOperation(keys, {
  applicationId: Type.Optional(recordId('app')),
  state: Type.Optional(oneOf(keyStates, 'In this state only.')),
})
