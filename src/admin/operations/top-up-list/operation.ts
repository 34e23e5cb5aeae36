import { Type } from 'typebox'
import { listOperation } from '../../resource.ts'
import { topUps } from '../../resources/top-ups.ts'

export const topUpList = listOperation(topUps, {
  limitId: Type.Optional(
    Type.String({ description: 'Of this limit only, as `limitId` of a top-up names it.', maxLength: 100 }),
  ),
})
