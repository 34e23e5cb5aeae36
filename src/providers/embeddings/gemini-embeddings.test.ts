import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../domain/json.ts'
import { Fault } from '../../kernel/fault.ts'
import { geminiEmbeddings, readGeminiEmbeddings } from './gemini-embeddings.ts'

test('a request survives the way to Gemini and back', () => {
  for (const request of [
    { texts: ['a', 'b\nc'], dimensions: 768 },
    { texts: [''], dimensions: null },
  ])
    assert.deepEqual(readGeminiEmbeddings(geminiEmbeddings.writeRequest(request, 'm')), request)
})

test('vectors keep their order; figures are taken where there are any', () => {
  const embeddings = [{ values: [1, 0.5] }, { values: [-1, 0] }]
  const vectors = [
    [1, 0.5],
    [-1, 0],
  ]
  assert.deepEqual(geminiEmbeddings.readResponse({ embeddings }, 2), { vectors, inputTokens: null })
  const usageMetadata = { promptTokenCount: 7 }
  assert.deepEqual(geminiEmbeddings.readResponse({ embeddings, usageMetadata }, 2), {
    vectors,
    inputTokens: 7,
  })
})

test('an answer that is not one vector of numbers for each text is malformed', () => {
  const bodies: JsonObject[] = [
    {},
    { embeddings: [] },
    { embeddings: [{ values: [1] }] },
    { embeddings: [{ values: [1] }, { values: [] }] },
    { embeddings: [{ values: [1] }, { values: ['1'] }] },
    { embeddings: [{ values: [1] }, {}] },
    { embeddings: [{ values: [1] }, null] },
    { embeddings: [{ values: [1] }, { values: [1] }, { values: [1] }] },
  ]
  for (const body of bodies)
    assert.throws(
      () => geminiEmbeddings.readResponse(body, 2),
      (error) => error instanceof Fault && error.code === 'upstream.malformed',
      JSON.stringify(body),
    )
})
