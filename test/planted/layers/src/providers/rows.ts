export const rows = ['a']
