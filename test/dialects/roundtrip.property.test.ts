/**
 * Nothing is lost on the way A → canonical → A, for every dialect: in the golden bodies, in golden bodies with an
 * unknown field anywhere, and in random canonical requests and responses.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { CanonicalRequest } from '../../src/domain/canonical.ts'
import type { JsonObject } from '../../src/domain/json.ts'
import { Fault } from '../../src/kernel/fault.ts'
import type { Dialect, Downgrade } from '../../src/providers/dialect.ts'
import { allDialects, caseNames, loadSource, plain, plainRequest, wire } from './fixtures.ts'
import { canonicalRequest, canonicalResponse, withUnknownField } from './generators.ts'
import { normalRequest, normalResponse } from './normal-form.ts'

function throughRequest(dialect: Dialect, body: JsonObject, model: string): JsonObject {
  const downgrades: Downgrade[] = []
  const request = dialect.readRequest(body, { model })
  const written = dialect.writeRequest(request, { model, downgrade: (one) => downgrades.push(one) })
  assert.deepEqual(downgrades, [])
  return wire(written)
}

function throughResponse(dialect: Dialect, body: JsonObject): JsonObject {
  const downgrades: Downgrade[] = []
  const response = dialect.readResponse(body)
  const request: CanonicalRequest = { ...plainRequest, dialect: dialect.id }
  const written = dialect.writeResponse(response, {
    model: response.model,
    request,
    downgrade: (one) => downgrades.push(one),
  })
  assert.deepEqual(downgrades, [])
  return wire(written)
}

function assertSameRequest(dialect: Dialect, body: JsonObject, model: string): void {
  const normal = normalRequest[dialect.id]
  assert.deepEqual(wire(normal(throughRequest(dialect, body, model))), wire(normal(body)))
}

function assertSameResponse(dialect: Dialect, body: JsonObject): void {
  const normal = normalResponse[dialect.id]
  assert.deepEqual(wire(normal(throughResponse(dialect, body))), wire(normal(body)))
}

for (const dialect of allDialects) {
  describe(`${dialect.id} through the canonical form`, () => {
    for (const caseName of caseNames) {
      const source = loadSource(caseName, dialect.id)
      if (source === undefined) continue
      const { request, response, model } = source
      if (request !== undefined) {
        it(`keeps the request of case ${caseName}, also with an unknown field anywhere`, () => {
          assertSameRequest(dialect, request, model)
          const property = fc.property(withUnknownField(request), ({ body }) => {
            assertSameRequest(dialect, body, model)
          })
          fc.assert(property, { numRuns: 60 })
        })
      }
      if (response !== undefined) {
        it(`keeps the response of case ${caseName}, also with an unknown field anywhere`, () => {
          assertSameResponse(dialect, response)
          const property = fc.property(withUnknownField(response), ({ body }) => {
            assertSameResponse(dialect, body)
          })
          fc.assert(property, { numRuns: 60 })
        })
      }
    }

    it('writes what it reads: writing a random request, reading it and writing it again changes nothing', () => {
      const write = (request: CanonicalRequest) =>
        wire(dialect.writeRequest(request, { model: 'm', downgrade: () => {} }))
      const property = fc.property(canonicalRequest, (request) => {
        let body: JsonObject
        try {
          body = write(request)
        } catch (error) {
          assert.ok(error instanceof Fault && error.code === 'dialect.cannot-express', String(error))
          return
        }
        assert.deepEqual(write(dialect.readRequest(body, { model: 'm', stream: request.stream })), body)
      })
      fc.assert(property, { numRuns: 200 })
    })

    it('carries a random response to its caller: what the caller reads is what was said', () => {
      const property = fc.property(canonicalResponse, (response) => {
        const request: CanonicalRequest = { ...plainRequest, dialect: dialect.id }
        const body = dialect.writeResponse(response, { model: 'm', request, downgrade: () => {} })
        const read = plain(dialect.readResponse(wire(body)))
        const said = plain(response)
        assert.deepEqual(read.parts, said.parts)
        assert.equal(read.stopReason, said.stopReason)
        assert.equal(read.usage?.inputTokens, said.usage?.inputTokens)
        assert.equal(read.usage?.outputTokens, said.usage?.outputTokens)
        assert.equal(read.usage?.cachedInputTokens, said.usage?.cachedInputTokens)
      })
      fc.assert(property, { numRuns: 200 })
    })
  })
}
