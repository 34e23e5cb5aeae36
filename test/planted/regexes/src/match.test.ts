export const inTest = /^(a+)+$/
