import { listOperation } from '../../resource.ts'
import { guards } from '../../resources/guards.ts'

export const guardList = listOperation(guards)
