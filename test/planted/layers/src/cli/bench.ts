import { load } from '../../bench/load.ts'

export const bench = load
