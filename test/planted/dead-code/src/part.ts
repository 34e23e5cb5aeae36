export const used = 0
export const unused = 1
