import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noUsage } from '../domain/usage.ts'
import { observeInputBytes, roughInput } from './rough-input.ts'

const told = (inputTokens: number, estimated = false) => ({ ...noUsage, inputTokens, estimated })

test('a body is one token for four bytes and a quarter more, until the provider tells', () => {
  assert.equal(roughInput(4000, { provider: 'a', model: 'new' }), 1250)
  assert.equal(roughInput(0, { provider: 'a', model: 'new' }), 0)
})

test('what the provider tells moves the ratio of its model, and of no other', () => {
  const model = { provider: 'a', model: 'dense' }
  for (let count = 0; count < 200; count += 1) observeInputBytes(model, 1000, told(500))
  assert.equal(roughInput(1000, model), 625)
  assert.equal(roughInput(1000, { provider: 'a', model: 'other' }), 313)
  assert.equal(roughInput(1000, { provider: 'b', model: 'dense' }), 313)
})

test('estimates teach nothing, and odd figures only so much', () => {
  const model = { provider: 'a', model: 'odd' }
  observeInputBytes(model, 1000, told(1e9, true))
  assert.equal(roughInput(1000, model), 313)
  for (let count = 0; count < 500; count += 1) observeInputBytes(model, 10, told(1e9))
  assert.equal(roughInput(1000, model), 1250)
  for (let count = 0; count < 500; count += 1) observeInputBytes(model, 1e9, told(1))
  assert.ok(roughInput(1000, model) <= 26)
})

test('made-up model names take no more than their bound', () => {
  const known = { provider: 'a', model: 'known' }
  for (let count = 0; count < 100; count += 1) observeInputBytes(known, 1000, told(1000))
  for (let count = 0; count < 600; count += 1)
    observeInputBytes({ provider: 'a', model: `made-up-${count}` }, 1000, told(1000))
  assert.equal(roughInput(1000, known), 313)
})
