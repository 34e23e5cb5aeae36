/**
 * Calls the counters' code inside the server: as a function library (Valkey, Redis 7), or as a script where functions
 * are unknown or not permitted. The library's name carries a digest of its code, so that nodes of two releases run
 * side by side on one server. A server that lost the code is given it again.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Cluster, type Redis } from 'ioredis'

const code = readFileSync(new URL('./counters.lua', import.meta.url), 'utf8')
const name = `gatewright_${createHash('sha256').update(code).digest('hex').slice(0, 12)}`
const library = `#!lua name=${name}\n${code}\nredis.register_function('${name}', run)\n`
const script = `${code}\nreturn run(KEYS, ARGV)\n`
const scriptDigest = createHash('sha1').update(script).digest('hex')

export type CounterClient = Redis | Cluster

export interface CounterLibrary {
  call(keys: readonly string[], values: readonly (string | number)[]): Promise<readonly string[]>
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : '')
const isFunctionMissing = (error: unknown): boolean => messageOf(error).includes('Function not found')
const isScriptMissing = (error: unknown): boolean => messageOf(error).startsWith('NOSCRIPT')
/** Redis before 7, a service without functions, or an ACL that grants scripts alone. */
const hasNoFunctions = (error: unknown): boolean => /^(ERR unknown command|NOPERM)/.test(messageOf(error))

async function loadLibrary(client: CounterClient): Promise<void> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client]
  await Promise.all(servers.map((server) => server.function('LOAD', 'REPLACE', library)))
}

export function createCounterLibrary(client: CounterClient): CounterLibrary {
  let hasFunctions = true
  /** One load at a time, however many calls found it missing. */
  let loading: Promise<void> | null = null

  function load(): Promise<void> {
    loading ??= loadLibrary(client).finally(() => {
      loading = null
    })
    return loading
  }

  async function callFunction(keys: readonly string[], values: readonly (string | number)[]) {
    const send = () => client.fcall(name, keys.length, ...keys, ...values)
    try {
      return await send()
    } catch (error) {
      if (!isFunctionMissing(error)) throw error
      await load()
      return send()
    }
  }

  async function callScript(keys: readonly string[], values: readonly (string | number)[]) {
    try {
      return await client.evalsha(scriptDigest, keys.length, ...keys, ...values)
    } catch (error) {
      if (!isScriptMissing(error)) throw error
      return client.eval(script, keys.length, ...keys, ...values)
    }
  }

  return {
    async call(keys, values) {
      if (hasFunctions) {
        try {
          return (await callFunction(keys, values)) as string[]
        } catch (error) {
          if (!hasNoFunctions(error)) throw error
          hasFunctions = false
        }
      }
      return (await callScript(keys, values)) as string[]
    },
  }
}
