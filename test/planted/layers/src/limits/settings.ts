import { settings } from '../config/settings.ts'

export const limit = settings
