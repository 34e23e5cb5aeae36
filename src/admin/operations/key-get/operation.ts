import { getOperation } from '../../resource.ts'
import { keys } from '../../resources/keys.ts'

export const keyGet = getOperation(keys)
