import { removeOperation } from '../../resource.ts'
import { guards } from '../../resources/guards.ts'

export const guardDelete = removeOperation(guards)
