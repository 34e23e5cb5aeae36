/**
 * Ours without what Portkey does not do: the gateway on its real parts in one process, without control plane, usage
 * records or disk. A program: `node bench/load/bare-gateway.ts <port> <unary mock> <stream mock>`; prints its key.
 */

import { startGateway, testDeployment, testRoute } from '../../src/gateway/harness/start-gateway.ts'
import { pipeline } from '../../src/gateway/pipeline.ts'
import { settleEngine } from '../../src/supervisor/engine-settings.ts'
import { streamModel, unaryModel } from './bodies.ts'
import { mockCredential } from './system.ts'

settleEngine()
const [port = '', unaryPort = '', streamPort = ''] = process.argv.slice(2)

const deployment = (id: string, mockPort: string) =>
  testDeployment({
    id,
    providerId: 'openai',
    baseUrl: `http://127.0.0.1:${mockPort}/v1`,
    secrets: { apiKey: mockCredential },
  })

const started = await startGateway({
  port: Number(port),
  deployments: [deployment('unary', unaryPort), deployment('stream', streamPort)],
  routes: [testRoute(unaryModel, ['unary']), testRoute(streamModel, ['stream'])],
  table: pipeline.filter((row) => row.name !== 'record'),
})
process.stdout.write(`${started.apiKey}\n`)
process.on('SIGTERM', () => process.exit(0))
