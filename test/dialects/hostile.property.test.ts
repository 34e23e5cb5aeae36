/**
 * Whatever a caller or a provider sends in place of the right thing: a reader reads it or throws a fault, never
 * anything else, and what it has read every dialect can write or refuse by a fault.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isJsonObject, type JsonObject } from '../../src/domain/json.ts'
import { Fault } from '../../src/kernel/fault.ts'
import type { Dialect } from '../../src/providers/dialect.ts'
import {
  allDialects,
  caseNames,
  encodeStream,
  loadSource,
  plainRequest,
  readStream,
  type WireEvent,
  writeStream,
} from './fixtures.ts'
import { hostile } from './generators.ts'

const downgrade = () => {}

function isWireEvent(value: unknown): value is WireEvent {
  if (!isJsonObject(value) || !isJsonObject(value['data'])) return false
  return value['event'] === undefined || typeof value['event'] === 'string'
}

/** The value, or undefined where a fault with one of these statuses was thrown. */
function orFault<T>(step: () => T, statuses: readonly number[]): T | undefined {
  try {
    return step()
  } catch (error) {
    if (error instanceof Fault && statuses.includes(error.status)) return undefined
    throw error
  }
}

function carryRequest(caller: Dialect, body: JsonObject, model: string): void {
  const request = orFault(() => caller.readRequest(body, { model }), [400])
  if (request === undefined) return
  for (const provider of allDialects) {
    orFault(() => JSON.stringify(provider.writeRequest(request, { model, downgrade })), [400])
  }
}

function carryResponse(provider: Dialect, body: JsonObject): void {
  const response = orFault(() => provider.readResponse(body), [502])
  provider.readUsage(body)
  if (response === undefined) return
  for (const caller of allDialects) {
    const request = { ...plainRequest, dialect: caller.id }
    JSON.stringify(caller.writeResponse(response, { model: 'm', request, downgrade }))
  }
}

for (const dialect of allDialects) {
  describe(`${dialect.id} meets anything`, () => {
    for (const caseName of caseNames) {
      const source = loadSource(caseName, dialect.id)
      if (source === undefined) continue
      const { request, response, stream, model } = source
      if (request !== undefined) {
        it(`in the request of case ${caseName}`, () => {
          fc.assert(
            fc.property(hostile(request), (body) => carryRequest(dialect, body, model)),
            { numRuns: 150 },
          )
        })
      }
      if (response !== undefined) {
        it(`in the response of case ${caseName}`, () => {
          fc.assert(
            fc.property(hostile(response), (body) => carryResponse(dialect, body)),
            { numRuns: 150 },
          )
        })
      }
      if (stream !== undefined) {
        it(`in the stream of case ${caseName}`, () => {
          const property = fc.property(hostile({ stream } as unknown as JsonObject), ({ stream: spoilt }) => {
            if (!Array.isArray(spoilt)) return
            const events = spoilt.filter(isWireEvent)
            const read = readStream(dialect, encodeStream(dialect.id, events))
            assert.equal(read.at(-1)?.type, 'end')
            for (const caller of allDialects) {
              writeStream(caller, read, { model: 'm', request: { ...plainRequest, dialect: caller.id } })
            }
          })
          fc.assert(property, { numRuns: 150 })
        })
      }
    }

    it('in an error', () => {
      fc.assert(
        fc.property(fc.integer({ min: 400, max: 599 }), fc.jsonValue(), (status, body) => {
          const error = dialect.readError(status, body)
          for (const caller of allDialects) JSON.stringify(caller.writeError(error))
          assert.ok(error.message.length > 0)
        }),
        { numRuns: 200 },
      )
    })
  })
}
