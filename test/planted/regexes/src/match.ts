export const exponential = /^(a+)+$/
export const quadratic = new RegExp('\\s+$', 'u')
export const linear = /^[a-z]{1,10}$/
export const built = (word: string): RegExp => new RegExp(`^${word}`)
export const schema = { type: 'string', pattern: '^([a-z]*)*$' }
