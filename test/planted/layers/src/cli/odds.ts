import { text } from '../helpers/text.ts'

export const odds = text
