import { env } from 'node:process'

export const port = process.env['PORT']
export const host = process['env']['HOST']
export const user = env['USER']
export const home = globalThis.process.env['HOME']
