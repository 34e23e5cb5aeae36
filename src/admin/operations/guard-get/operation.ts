import { getOperation } from '../../resource.ts'
import { guards } from '../../resources/guards.ts'

export const guardGet = getOperation(guards)
