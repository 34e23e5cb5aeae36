import { run } from '../main.ts'

export const entry = run
