/** What every SecretBox adapter guarantees. `open` gives a box with a root key of its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../kernel/fault.ts'
import { maxPlaintextBytes, type SecretBox } from './secret-box.ts'

const context = 'credential:cred_1'
const unreadable = (error: unknown): boolean =>
  error instanceof Fault && error.code === 'storage.secret-unreadable'

/** Every text that differs from `text` in one character, at up to 200 places spread over it. */
function* corruptions(text: string): Generator<string> {
  const step = Math.max(1, Math.floor(text.length / 200))
  for (let at = 0; at < text.length; at += step) {
    const other = text[at] === 'A' ? 'B' : 'A'
    yield text.slice(0, at) + other + text.slice(at + 1)
  }
}

export function testSecretBoxContract(open: () => Promise<SecretBox>): void {
  test('what was sealed opens to the same bytes', async () => {
    const box = await open()
    for (const text of ['', 'sk-secret', 'ключ 🔑', 'x'.repeat(maxPlaintextBytes)]) {
      const sealed = await box.seal(text, context)
      assert.match(sealed, /^gwe1\.[A-Za-z0-9_.-]+$/)
      assert.equal((await box.open(sealed, context)).toString(), text)
    }
    const bytes = Buffer.from([0, 255, 128, 0])
    assert.deepEqual(await box.open(await box.seal(bytes, context), context), bytes)
  })

  test('the sealed text shows nothing of the secret and never repeats', async () => {
    const box = await open()
    const secret = 'sk-secret-value-0123456789'
    const first = await box.seal(secret, context)
    assert.notEqual(first, await box.seal(secret, context))
    assert.ok(!Buffer.from(first, 'base64url').includes(secret))
    assert.ok(!first.includes(Buffer.from(secret).toString('base64url')))
  })

  test('a sealed text opens in its own context only', async () => {
    const box = await open()
    const sealed = await box.seal('secret', context)
    for (const other of ['credential:cred_2', '', `${context} `]) {
      await assert.rejects(box.open(sealed, other), unreadable)
      await assert.rejects(box.rewrap(sealed, other), unreadable)
    }
  })

  test('any altered character is noticed', async () => {
    const box = await open()
    const sealed = await box.seal('secret', context)
    for (const altered of corruptions(sealed)) await assert.rejects(box.open(altered, context), unreadable)
    for (const junk of [
      '',
      'gwe1',
      'gwe1...',
      'gwe2.a.b.c',
      sealed.slice(0, -1),
      `${sealed}A`,
      `${sealed}.x`,
    ]) {
      await assert.rejects(box.open(junk, context), unreadable)
    }
  })

  test('the fault names neither secret nor sealed text', async () => {
    const box = await open()
    const sealed = await box.seal('secret-value', context)
    const fault = await box.open(`${sealed}A`, context).then(
      () => null,
      (error: unknown) => error,
    )
    assert.ok(fault instanceof Fault)
    const shown = `${fault.publicText} ${fault.internalText} ${fault.message} ${String(fault.cause)}`
    assert.ok(!shown.includes('secret-value') && !shown.includes(sealed))
  })

  test('another root key opens nothing', async () => {
    const sealed = await (await open()).seal('secret', context)
    await assert.rejects((await open()).open(sealed, context), unreadable)
  })

  test('a secret beyond the bound is refused', async () => {
    const box = await open()
    await assert.rejects(box.seal('x'.repeat(maxPlaintextBytes + 1), context))
  })

  test('rewrapping under the same root key keeps the secret', async () => {
    const box = await open()
    const sealed = await box.seal('secret', context)
    assert.equal(box.needsRewrap(sealed), false)
    const rewrapped = await box.rewrap(sealed, context)
    assert.equal((await box.open(rewrapped, context)).toString(), 'secret')
  })
}
