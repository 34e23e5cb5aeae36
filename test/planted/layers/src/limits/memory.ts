import { store } from '../adapters/memory/store.ts'

export const counters = store
