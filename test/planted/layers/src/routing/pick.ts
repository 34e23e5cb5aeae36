import { rows } from '../providers/rows.ts'

export const first = rows[0]
