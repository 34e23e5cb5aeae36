import fc from 'fast-check'

export const numbers = fc.integer()
