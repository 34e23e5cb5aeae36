export const count: number = 'one'
const words = ['a']
export const first: string = words[0]
