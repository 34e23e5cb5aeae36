export const state = 'ready'
