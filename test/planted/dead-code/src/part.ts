export const used = 0
export const unused = 1
export const tested = 2
