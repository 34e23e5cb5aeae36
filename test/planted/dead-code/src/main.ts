import fastify from 'fastify'
import { used } from './part.ts'

fastify()
process.exitCode = used
