export const page = ''
