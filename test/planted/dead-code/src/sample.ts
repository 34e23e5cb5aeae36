export const sample = 3
