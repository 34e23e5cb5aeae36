export const anything: any = 1
export const length = ([1] as number[])[0]!
// @ts-ignore: planted
export const wrong: number = 'x'
/* @ts-expect-error planted */
export const wrongToo: number = 'x'
export const text = '// @ts-ignore in a string is text, and any is a word'
