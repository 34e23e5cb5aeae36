/** Guarantees about requests and their bodies. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListenerBench } from './listener.contract-bench.ts'
import type { BodyFailureKind, Inbound } from './listener.ts'

const mebibyte = 1024 * 1024

function valuesOf(inbound: Inbound, name: string): string[] {
  const values: string[] = []
  for (let index = 0; index < inbound.headers.length; index += 2) {
    if (inbound.headers[index] === name) values.push(inbound.headers[index + 1] ?? '')
  }
  return values
}

export function requestGuarantees(bench: ListenerBench): void {
  const version = bench.transport === 'http2' ? '2' : '1.1'

  test('a request arrives as it was sent', async () => {
    let seen: Inbound | null = null
    const { client, port } = await bench.start((inbound) => {
      seen = inbound
      inbound.reply.send(200, [], 'ok')
    })
    const call = client.call({ path: '/a/b?c=%20d&e', headers: { 'X-One': ['a', 'b'], 'x-empty': '' } })
    assert.equal((await call.content()).toString(), 'ok')
    assert.ok(seen !== null)
    const inbound: Inbound = seen
    assert.equal(inbound.method, 'GET')
    assert.equal(inbound.target, '/a/b?c=%20d&e')
    assert.equal(inbound.httpVersion, version)
    assert.equal(inbound.remoteAddress, '127.0.0.1')
    assert.equal(inbound.encrypted, bench.tls !== undefined)
    assert.equal(inbound.contentLength, 0)
    assert.ok(Math.abs(performance.now() - inbound.startedAt) < 5000)
    assert.deepEqual(valuesOf(inbound, 'x-one').join(','), 'a,b')
    assert.deepEqual(valuesOf(inbound, 'x-empty'), [''])
    assert.deepEqual(valuesOf(inbound, 'host'), [`127.0.0.1:${port}`])
    assert.ok(inbound.headers.every((entry, index) => index % 2 === 1 || !entry.startsWith(':')))
  })

  for (const size of [1, 1000, 70_000, mebibyte]) {
    test(`a body of ${size} bytes is read whole, announced or not`, async () => {
      const announced: (number | undefined)[] = []
      const { client } = await bench.start((inbound) => {
        announced.push(inbound.contentLength)
        inbound.readBody(2 * mebibyte, (failure, body) => {
          inbound.reply.send(failure === null ? 200 : 400, [], body)
        })
      })
      const body = Buffer.alloc(size, 'abcdefghi')
      const length = client.call({ method: 'POST', body, headers: { 'content-length': String(size) } })
      assert.ok((await length.content()).equals(body))
      const pieces = client.call({ method: 'POST', open: true })
      for (let at = 0; at < size; at += 10_000) pieces.write(body.subarray(at, at + 10_000))
      pieces.finish()
      assert.ok((await pieces.content()).equals(body))
      assert.deepEqual(announced, [size, undefined])
    })
  }

  test('a request without a body reads as empty, whole and as a stream', async () => {
    const { client } = await bench.start((inbound) => {
      if (inbound.target === '/whole') {
        inbound.readBody(10, (failure, body) => inbound.reply.send(200, [], `${failure} ${body.length}`))
      } else {
        const fail = (): void => inbound.reply.send(500, [], '')
        inbound.streamBody(10, { data: fail, end: () => inbound.reply.send(200, [], 'end'), failure: fail })
      }
    })
    assert.equal((await client.call({ path: '/whole' }).content()).toString(), 'null 0')
    assert.equal((await client.call({ path: '/stream' }).content()).toString(), 'end')
  })

  test('a body that is asked for late is whole', async () => {
    const { client } = await bench.start((inbound) => {
      setTimeout(() => inbound.readBody(mebibyte, (_failure, body) => inbound.reply.send(200, [], body)), 60)
    })
    const body = Buffer.alloc(300_000, 'xyz')
    assert.ok((await client.call({ method: 'POST', body }).content()).equals(body))
  })

  for (const announced of [true, false]) {
    test(`a body over the limit, ${announced ? 'announced' : 'not announced'}, is told and the answer arrives`, async () => {
      const failures: (BodyFailureKind | null)[] = []
      const { client } = await bench.start((inbound) => {
        inbound.readBody(1000, (failure) => {
          failures.push(failure)
          inbound.reply.send(413, [], 'too large')
        })
      })
      const body = Buffer.alloc(20_000, 'a')
      const call = announced
        ? client.call({ method: 'POST', body, headers: { 'content-length': '20000' } })
        : client.call({ method: 'POST', open: true })
      if (!announced) call.write(body)
      assert.equal((await call.head).status, 413)
      assert.equal((await call.content()).toString(), 'too large')
      assert.deepEqual(failures, ['too-large'])
      // The next request is served, on whichever connection.
      const small = client.call({ method: 'POST', body: Buffer.from('b') })
      assert.equal((await small.head).status, 413)
      assert.deepEqual(failures, ['too-large', null])
    })
  }

  test('a streamed body comes in order, ends once, and stands still while paused', async () => {
    const pieces: string[] = []
    let paused = false
    let whilePaused = 0
    const { client } = await bench.start((inbound) => {
      inbound.streamBody(mebibyte, {
        data(chunk) {
          if (paused) whilePaused += 1
          pieces.push(Buffer.from(chunk).toString())
          if (pieces.length === 1) {
            paused = true
            inbound.pauseBody()
            setTimeout(() => {
              paused = false
              inbound.resumeBody()
            }, 100)
          }
        },
        end: () => inbound.reply.send(200, [], pieces.join('')),
        failure: () => inbound.reply.send(400, [], ''),
      })
    })
    const call = client.call({ method: 'POST', open: true })
    call.write('one ')
    for (const piece of ['two ', 'three']) {
      await new Promise((resolve) => setTimeout(resolve, 30))
      call.write(piece)
    }
    call.finish()
    assert.equal((await call.content()).toString(), 'one two three')
    assert.ok(whilePaused <= 1, `pieces while paused: ${whilePaused}`)
  })

  test('a streamed body over the limit fails', async () => {
    const { client } = await bench.start((inbound) => {
      inbound.streamBody(10, {
        data: () => undefined,
        end: () => inbound.reply.send(200, [], ''),
        failure: () => inbound.reply.send(413, [], ''),
      })
    })
    const call = client.call({ method: 'POST', open: true })
    call.write('0123456789')
    call.write('x')
    assert.equal((await call.head).status, 413)
  })

  test('a client that leaves within its body: the reader is told, and the disconnect once', async () => {
    const events: string[] = []
    const { client } = await bench.start((inbound) => {
      inbound.onDisconnect(() => events.push('disconnect'))
      inbound.readBody(mebibyte, (failure) => events.push(String(failure)))
    })
    const call = client.call({ method: 'POST', open: true })
    call.write('half')
    await new Promise((resolve) => setTimeout(resolve, 50))
    call.abort()
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.deepEqual(events, ['aborted', 'disconnect'])
  })

  test('100 is said when the body is asked for, and not before', async () => {
    let ask: (() => void) | null = null
    const { client } = await bench.start((inbound) => {
      ask = () => inbound.readBody(100, (_failure, body) => inbound.reply.send(200, [], body))
    })
    const call = client.call({ method: 'POST', open: true, headers: { expect: '100-continue' } })
    let continued = false
    const waited = call.continued.then(() => {
      continued = true
      call.write('now')
      call.finish()
    })
    await new Promise((resolve) => setTimeout(resolve, 80))
    assert.equal(continued, false)
    assert.ok(ask !== null)
    const asked: () => void = ask
    asked()
    await waited
    assert.equal((await call.content()).toString(), 'now')
  })

  test('many exchanges, one after another and at once, keep apart', async () => {
    const { client } = await bench.start((inbound) => {
      inbound.readBody(1000, (_failure, body) =>
        inbound.reply.send(200, [], `${inbound.target} ${body.toString()}`),
      )
    })
    for (let round = 0; round < 3; round += 1) {
      const names = Array.from({ length: 40 }, (_, index) => `${round}-${index}`)
      const answers = await Promise.all(
        names.map((name) =>
          client.call({ method: 'POST', path: `/${name}`, body: Buffer.from(name) }).content(),
        ),
      )
      assert.deepEqual(
        answers.map(String),
        names.map((name) => `/${name} ${name}`),
      )
    }
  })
}
