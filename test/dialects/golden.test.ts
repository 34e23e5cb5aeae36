/**
 * Golden files for every ordered pair of dialects: what a caller's request becomes at the provider, and what the
 * provider's response, stream and errors become for the caller. `UPDATE_GOLDEN=1` writes them anew; a difference
 * fails.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import type { CanonicalRequest } from '../../src/domain/canonical.ts'
import type { JsonObject, JsonValue } from '../../src/domain/json.ts'
import { Fault } from '../../src/kernel/fault.ts'
import type { Dialect, Downgrade } from '../../src/providers/dialect.ts'
import {
  allDialects,
  caseNames,
  decodeStream,
  encodeStream,
  goldenRoot,
  loadSource,
  ownFacts,
  plainRequest,
  readStream,
  type Source,
  wire,
  writeStream,
} from './fixtures.ts'

const update = process.env['UPDATE_GOLDEN'] === '1'

interface Pair {
  readonly caller: Dialect
  readonly provider: Dialect
  readonly asked: Source
  readonly answered: Source
}

function downgraded(result: JsonObject, downgrades: readonly Downgrade[]): JsonObject {
  return downgrades.length === 0
    ? result
    : { ...result, downgrades: wire(downgrades) as unknown as JsonValue }
}

function readCaller(pair: Pair): CanonicalRequest {
  const { caller, asked } = pair
  if (asked.request === undefined) return { ...plainRequest, dialect: caller.id }
  return caller.readRequest(asked.request, { model: asked.model })
}

function writeToProvider(pair: Pair): JsonObject | undefined {
  const { provider, asked, answered } = pair
  if (asked.request === undefined) return undefined
  const downgrades: Downgrade[] = []
  try {
    const body = provider.writeRequest(readCaller(pair), {
      model: answered.model,
      downgrade: (one) => downgrades.push(one),
    })
    return downgraded({ body: wire(body) }, downgrades)
  } catch (error) {
    if (error instanceof Fault)
      return { refused: { code: error.code, text: error.publicText, param: error.param } }
    throw error
  }
}

function writeToCaller(pair: Pair): JsonObject | undefined {
  const { caller, provider, asked, answered } = pair
  if (answered.response === undefined) return undefined
  const downgrades: Downgrade[] = []
  const body = caller.writeResponse(provider.readResponse(answered.response), {
    ...ownFacts,
    model: asked.model,
    request: readCaller(pair),
    downgrade: (one) => downgrades.push(one),
  })
  return downgraded({ body: wire(body) }, downgrades)
}

function streamToCaller(pair: Pair): JsonObject | undefined {
  const { caller, provider, asked, answered } = pair
  if (answered.stream === undefined) return undefined
  const events = readStream(provider, encodeStream(provider.id, answered.stream))
  const request: CanonicalRequest = { ...readCaller(pair), stream: true, streamUsage: true }
  const { bytes, downgrades } = writeStream(caller, events, { request, model: asked.model })
  const lines = decodeStream(caller.id, bytes).map((event) => wire(event) as unknown as JsonValue)
  return downgraded({ events: lines }, downgrades)
}

function errorsToCaller(pair: Pair): JsonValue | undefined {
  return pair.answered.errors?.map(({ status, body }) => {
    const error = pair.provider.readError(status, body)
    return { status: error.status, kind: error.kind, body: wire(pair.caller.writeError(error)) }
  })
}

function goldenOf(pair: Pair): JsonObject {
  return wire({
    request: writeToProvider(pair),
    response: writeToCaller(pair),
    stream: streamToCaller(pair),
    errors: errorsToCaller(pair),
  })
}

function compare(path: string, actual: JsonObject): void {
  if (update) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${JSON.stringify(actual, null, 2)}\n`)
    return
  }
  assert.ok(existsSync(path), `${path} is missing: run with UPDATE_GOLDEN=1 and read what it wrote`)
  assert.deepEqual(actual, JSON.parse(readFileSync(path, 'utf8')))
}

for (const caseName of caseNames) {
  describe(`dialects, case ${caseName}`, () => {
    for (const caller of allDialects) {
      for (const provider of allDialects) {
        const asked = loadSource(caseName, caller.id)
        const answered = loadSource(caseName, provider.id)
        if (asked === undefined || answered === undefined) continue
        it(`carries ${caller.id} to ${provider.id} and back as its golden file says`, () => {
          const path = join(goldenRoot, caseName, `${caller.id}--${provider.id}.json`)
          compare(path, goldenOf({ caller, provider, asked, answered }))
        })
      }
    }
  })
}
