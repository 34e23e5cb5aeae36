import { state } from '../gateway/state.ts'

export const health = state
