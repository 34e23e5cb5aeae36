/**
 * A → canonical → B loses nothing in silence: a field that no API knows, put anywhere into a request of A, is
 * refused by its name, reported as a downgrade by its name, or arrives at B (inside schemas and arguments).
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '../../src/domain/json.ts'
import { Fault } from '../../src/kernel/fault.ts'
import type { Dialect, Downgrade } from '../../src/providers/dialect.ts'
import { allDialects, caseNames, loadSource, plain, plainRequest } from './fixtures.ts'
import { canonicalResponse, unknownField, withUnknownField } from './generators.ts'

interface Way {
  readonly caller: Dialect
  readonly provider: Dialect
  readonly model: string
}

/** Where the field went. */
function fate(body: JsonObject, { caller, provider, model }: Way): readonly string[] {
  const downgrades: Downgrade[] = []
  try {
    const request = caller.readRequest(body, { model })
    const written = provider.writeRequest(request, { model, downgrade: (one) => downgrades.push(one) })
    const arrived = JSON.stringify(written).includes(unknownField) ? [unknownField] : []
    return [...arrived, ...downgrades.map((one) => one.field)]
  } catch (error) {
    if (error instanceof Fault && error.status === 400) return [error.param ?? '']
    throw error
  }
}

for (const caller of allDialects) {
  for (const provider of allDialects) {
    if (caller === provider) continue
    describe(`${caller.id} to ${provider.id}`, () => {
      for (const caseName of caseNames) {
        const source = loadSource(caseName, caller.id)
        if (source?.request === undefined) continue
        const { request } = source
        const way: Way = { caller, provider, model: source.model }
        // A case that is refused as it stands says nothing about one more field.
        if (isRefused(request, way)) continue
        it(`names or carries an unknown field anywhere in case ${caseName}`, () => {
          const property = fc.property(withUnknownField(request), ({ body, path }) => {
            const fields = fate(body, way)
            const place = path.replace(/\.(\d+)/g, '[$1]')
            const isNamed = fields.some((field) => field.includes(unknownField) || isAround(field, place))
            assert.ok(isNamed, `silent at ${place}: ${fields.join(', ')}`)
          })
          fc.assert(property, { numRuns: 60 })
        })
      }

      it('carries the texts and calls of any response', () => {
        const property = fc.property(canonicalResponse, (response) => {
          const asked = { ...plainRequest, dialect: caller.id }
          const ctx = { model: 'm', request: asked, downgrade: () => {} }
          const upstream = provider.writeResponse(response, {
            ...ctx,
            request: { ...plainRequest, dialect: provider.id },
          })
          const body = caller.writeResponse(provider.readResponse(JSON.parse(JSON.stringify(upstream))), ctx)
          const read = plain(caller.readResponse(JSON.parse(JSON.stringify(body))))
          assert.deepEqual(read.parts, plain(response).parts)
          assert.equal(read.stopReason, response.choices[0]?.stopReason)
        })
        fc.assert(property, { numRuns: 60 })
      })
    })
  }
}

/** The field itself or something that contains it was named. */
function isAround(field: string, place: string): boolean {
  return field !== '' && (place === field || place.startsWith(`${field}.`) || place.startsWith(`${field}[`))
}

function isRefused(body: JsonObject, { caller, provider, model }: Way): boolean {
  try {
    provider.writeRequest(caller.readRequest(body, { model }), { model, downgrade: () => {} })
    return false
  } catch {
    return true
  }
}
