/**
 * GitHub's public keys for secret scanning, by id: those of the configuration, then those of the list that GitHub
 * publishes. The list is fetched for an id that is not known, one fetch at a time and at most one a minute, so that
 * made-up ids make no traffic; what was fetched last stays while the list cannot be had, and is asked for anew after a
 * day. Bounds: answers of `maxAnswerBytes`, `maxKeys` keys.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import type { LeakReportsConfig } from '../../config/index.ts'
import { isJsonObject } from '../../domain/json.ts'
import { parseOrigin } from '../../egress/index.ts'
import { Fault } from '../../kernel/fault.ts'
import type { UpstreamClient } from '../../ports/upstream-client.ts'

type GithubConfig = NonNullable<LeakReportsConfig['github']>

const cooldownMs = 60_000
const freshMs = 86_400_000
const maxAnswerBytes = 65_536
const maxKeys = 64
const timeouts = { connectMs: 5000, firstByteMs: 10_000, idleMs: 5000, totalMs: 15_000 }

export interface GithubKeys {
  /** Null: there is no such key, as far as is known. */
  find(id: string, config: GithubConfig): Promise<KeyObject | null>
}

export interface GithubKeyParts {
  readonly client: () => UpstreamClient
  readonly monotonic: () => number
}

export function createGithubKeys({ client, monotonic }: GithubKeyParts): GithubKeys {
  let published: ReadonlyMap<string, KeyObject> = new Map()
  let askedAt = Number.NEGATIVE_INFINITY
  let fetchedFrom = ''
  let asking: Promise<void> | null = null

  async function refresh(url: string, config: GithubConfig): Promise<void> {
    askedAt = monotonic()
    if (fetchedFrom !== url) published = new Map()
    const text = await fetchText(client(), url, config).catch(() => null)
    const keys = text === null ? null : readKeys(text)
    if (keys === null) return
    published = keys
    fetchedFrom = url
  }

  return {
    async find(id, config) {
      const configured = config.publicKeys.find((key) => key.id === id)
      if (configured !== undefined) return toKey(configured.key)
      const url = config.publicKeysUrl
      if (url === null) return null
      const age = monotonic() - askedAt
      const isMissing = fetchedFrom !== url || !published.has(id)
      if (asking === null && (age >= freshMs || (isMissing && age >= cooldownMs))) {
        asking = refresh(url, config).finally(() => {
          asking = null
        })
      }
      await asking
      return fetchedFrom === url ? (published.get(id) ?? null) : null
    },
  }
}

/** Null unless it is a key on P-256, the only curve that GitHub signs with. */
function toKey(pem: string): KeyObject | null {
  try {
    const key = createPublicKey(pem)
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : null
  } catch {
    return null
  }
}

/** Null: it is not such a list, or an empty one. */
function readKeys(text: string): ReadonlyMap<string, KeyObject> | null {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return null
  }
  const entries: unknown = isJsonObject(list) ? list['public_keys'] : null
  if (!Array.isArray(entries)) return null
  const keys = new Map<string, KeyObject>()
  for (const entry of entries.slice(0, maxKeys) as readonly unknown[]) {
    if (!isJsonObject(entry)) continue
    const { key_identifier: id, key: pem } = entry
    const key = typeof id === 'string' && typeof pem === 'string' ? toKey(pem) : null
    if (key !== null) keys.set(String(id), key)
  }
  return keys.size === 0 ? null : keys
}

function fetchText(client: UpstreamClient, url: string, config: GithubConfig): Promise<string> {
  const parsed = parseOrigin(url, config)
  if (parsed instanceof Fault) return Promise.reject(parsed)
  const { origin, basePath } = parsed
  const headers = ['accept', 'application/json', 'user-agent', 'gatewright']
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const refuse = (reason: string): void => {
      call.abort()
      reject(new Error(reason))
    }
    const call = client.call(
      { origin, method: 'GET', path: basePath || '/', headers, body: null, timeouts },
      {
        head(status) {
          if (status !== 200) refuse(`the list of keys was answered with ${status}`)
        },
        data(chunk) {
          size += chunk.length
          if (size > maxAnswerBytes) refuse('the list of keys is too large')
          else chunks.push(chunk)
        },
        end: () => resolve(Buffer.concat(chunks).toString('utf8')),
        failure: ({ kind }) => reject(new Error(kind)),
      },
    )
  })
}
