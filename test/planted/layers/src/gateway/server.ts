import { page } from '../admin/page.ts'

export const shown = page
