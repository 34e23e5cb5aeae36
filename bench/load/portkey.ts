/**
 * Portkey's gateway, for comparison: the version and the overrides with which it starts and streams (its own ranges
 * resolve to versions of hono under which streams break). Installed by the first benchmark into a cache folder,
 * without install scripts; started on loopback only.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectRoot } from '../../tools/pinned-node.mjs'
import { runProgram } from '../../tools/run-program.ts'
import type { Endpoint } from './call.ts'
import { startChildProgram } from './child-program.ts'
import { freePort, gatewayCore } from './processes.ts'
import { chatPath, type Mocks, mockCredential, type Started } from './system.ts'

const manifest = {
  name: 'bench-portkey',
  private: true,
  dependencies: { '@portkey-ai/gateway': '1.15.2' },
  overrides: { '@hono/node-server': '1.13.5', hono: '4.9.7' },
}

const preload = fileURLToPath(new URL('loopback-only.mjs', import.meta.url))

/** Path of its start script; installs it where it is missing. */
async function installPortkey(): Promise<string> {
  const folder = join(projectRoot, 'node_modules', '.cache', 'bench-portkey')
  const script = join(folder, 'node_modules', '@portkey-ai', 'gateway', 'build', 'start-server.js')
  if (existsSync(script)) return script
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev']
  const run = await runProgram('npm', args, { cwd: folder })
  if (!existsSync(script)) throw new Error(`Portkey could not be installed: ${run.stderr.slice(-2000)}`)
  return script
}

export async function startPortkey(folder: string, mocks: Mocks): Promise<Started> {
  const script = await installPortkey()
  const port = await freePort()
  const command = [process.execPath, '--import', preload, script, '--headless', `--port=${port}`]
  const child = await startChildProgram({
    core: gatewayCore,
    command,
    port,
    folder,
    environment: { NODE_ENV: 'production' },
  })
  const endpoint = (upstreamPort: number): Endpoint => ({
    port,
    authority: null,
    headers: {
      authorization: `Bearer ${mockCredential}`,
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
    },
    path: chatPath,
  })
  return {
    systems: [
      {
        name: 'portkey',
        unary: endpoint(mocks.unaryPort),
        stream: endpoint(mocks.streamPort),
        pid: child.pid,
      },
    ],
    stop: child.stop,
  }
}
