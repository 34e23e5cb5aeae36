/** Guarantees about replies. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ListenerBench } from './listener.contract-bench.ts'
import type { Inbound } from './listener.ts'

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export function replyGuarantees(bench: ListenerBench): void {
  test('send answers at once with the length set and a date; the text is UTF-8', async () => {
    const { client } = await bench.start((inbound) => inbound.reply.send(201, ['x-a', 'b'], 'grüße €'))
    const call = client.call({})
    const head = await call.head
    assert.equal(head.status, 201)
    assert.equal(head.headers['x-a'], 'b')
    assert.equal(head.headers['content-length'], String(Buffer.byteLength('grüße €')))
    assert.ok(Math.abs(Date.parse(String(head.headers['date'])) - Date.now()) < 3000)
    assert.equal(head.headers['server'], undefined)
    assert.equal((await call.content()).toString(), 'grüße €')
  })

  test('large answers, as text and as bytes, arrive whole', async () => {
    const bytes = Buffer.alloc(3_000_000, '0123456789abc')
    const { client } = await bench.start((inbound) => {
      inbound.reply.send(200, [], inbound.target === '/text' ? bytes.toString() : new Uint8Array(bytes))
    })
    assert.ok((await client.call({ path: '/text' }).content()).equals(bytes))
    assert.ok((await client.call({ path: '/bytes' }).content()).equals(bytes))
  })

  test('a reply in pieces arrives piece by piece, the head before the first', async () => {
    let reply: Inbound['reply'] | null = null
    const { client } = await bench.start((inbound) => {
      reply = inbound.reply
      inbound.reply.head(200, ['content-type', 'text/event-stream'])
      inbound.reply.flushHead()
    })
    const call = client.call({})
    const head = await call.head
    assert.equal(head.headers['content-type'], 'text/event-stream')
    assert.equal(head.headers['content-length'], undefined)
    const source = await call.source
    const seen: string[] = []
    source.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
    const finished = new Promise((resolve) => source.once('end', resolve))
    assert.ok(reply !== null)
    const way: Inbound['reply'] = reply
    assert.equal(way.headSent, true)
    way.write('data: ä\n\n')
    await pause(50)
    assert.deepEqual(seen, ['data: ä\n\n'])
    way.write(Buffer.from('data: two\n\n'))
    way.write('')
    await pause(50)
    way.end('last')
    assert.equal(way.ended, true)
    await finished
    assert.deepEqual(seen.join(''), 'data: ä\n\ndata: two\n\nlast')
  })

  test('an announced length is kept; shorter or longer content breaks the reply off', async () => {
    const { client } = await bench.start((inbound) => {
      const { reply } = inbound
      reply.head(200, ['content-length', '10'])
      reply.write('01234')
      reply.end(inbound.target === '/exact' ? '56789' : inbound.target === '/short' ? '5' : '56789x')
    })
    const exact = client.call({ path: '/exact' })
    assert.equal((await exact.content()).toString(), '0123456789')
    assert.equal((await exact.head).headers['content-length'], '10')
    await assert.rejects(client.call({ path: '/short' }).content())
    await assert.rejects(client.call({ path: '/long' }).content())
  })

  test('HEAD, 204 and 304 carry no content, and the connection goes on', async () => {
    const { client } = await bench.start((inbound) => {
      const status = Number(inbound.target.slice(1))
      inbound.reply.send(status, [], 'content')
    })
    for (const [method, path] of [
      ['HEAD', '/200'],
      ['GET', '/204'],
      ['GET', '/304'],
      ['GET', '/200'],
    ] as const) {
      const call = client.call({ method, path })
      assert.equal((await call.head).status, Number(path.slice(1)))
      assert.equal((await call.content()).toString(), method === 'GET' && path === '/200' ? 'content' : '')
    }
  })

  test('header fields that would split the reply are dropped, and so are framing fields', async () => {
    const { client } = await bench.start((inbound) => {
      inbound.reply.send(
        200,
        [
          'x-good',
          'yes',
          'x-bad',
          'a\r\nx-injected: b',
          'x-nul',
          'a\0b',
          'bad name',
          'c',
          'x-wide',
          '€',
          'transfer-encoding',
          'gzip',
          'connection',
          'upgrade',
          'content-length',
          '1',
        ],
        'whole',
      )
    })
    const call = client.call({})
    const { headers } = await call.head
    assert.equal(headers['x-good'], 'yes')
    for (const name of [
      'x-bad',
      'x-injected',
      'x-nul',
      'bad name',
      'x-wide',
      'transfer-encoding',
      'upgrade',
    ]) {
      assert.equal(headers[name], undefined, name)
    }
    assert.equal(headers['content-length'], '5')
    assert.equal((await call.content()).toString(), 'whole')
  })

  test('calls after the end do nothing', async () => {
    let reply: Inbound['reply'] | null = null
    const { client } = await bench.start((inbound) => {
      reply = inbound.reply
      inbound.reply.send(200, [], 'first')
      inbound.reply.send(500, [], 'second')
      inbound.reply.write('third')
      inbound.reply.end('fourth')
      inbound.reply.destroy()
    })
    assert.equal((await client.call({}).content()).toString(), 'first')
    assert.ok(reply !== null)
    const way: Inbound['reply'] = reply
    assert.equal(way.write('late'), true)
    way.end()
    assert.equal((await client.call({}).content()).toString(), 'first')
  })

  test('a slow reader is felt: write says false, drain follows, all arrives', async () => {
    const piece = Buffer.alloc(64 * 1024, 'p')
    const total = 200
    let full = 0
    let drains = 0
    const { client } = await bench.start((inbound) => {
      const { reply } = inbound
      let sent = 0
      function pump(): void {
        while (sent < total) {
          sent += 1
          if (!reply.write(piece)) {
            full += 1
            return
          }
        }
        reply.end()
      }
      reply.head(200, [])
      reply.onDrain(() => {
        drains += 1
        pump()
      })
      pump()
    })
    const call = client.call({})
    await call.head
    await pause(100)
    assert.ok(full >= 1)
    assert.equal((await call.content()).length, piece.length * total)
    assert.ok(drains >= 1)
  })

  test('a client that leaves is told once; one that leaves after the end is not told', async () => {
    let told = 0
    let arrived: (() => void) | null = null
    const { client, another } = await bench.start((inbound) => {
      inbound.onDisconnect(() => {
        told += 1
      })
      if (inbound.target === '/done') inbound.reply.send(200, [], '')
      else {
        inbound.reply.head(200, [])
        inbound.reply.write('x')
        arrived?.()
      }
    })
    await client.call({ path: '/done' }).content()
    const here = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const leaver = another()
    const call = leaver.call({ path: '/open' })
    await here
    await call.head
    call.abort()
    await pause(100)
    leaver.close()
    client.close()
    await pause(100)
    assert.equal(told, 1)
  })

  test('a disconnect is told also to who asks after it', async () => {
    let told = 0
    const { client } = await bench.start((inbound) => {
      setTimeout(
        () =>
          inbound.onDisconnect(() => {
            told += 1
          }),
        150,
      )
    })
    const call = client.call({})
    await pause(50)
    call.abort()
    await pause(250)
    assert.equal(told, 1)
  })

  test('destroy shows the client that the reply is broken', async () => {
    const { client } = await bench.start((inbound) => {
      inbound.reply.head(200, [])
      inbound.reply.write('part')
      setTimeout(() => inbound.reply.destroy(), 30)
    })
    await assert.rejects(client.call({}).content())
  })

  for (const where of ['the handler', 'the body callback', 'a later turn of the body'] as const) {
    test(`an error thrown in ${where} is answered with 500, and the next request is served`, async () => {
      const { client, thrown } = await bench.start((inbound) => {
        if (inbound.target === '/fine') inbound.reply.send(200, [], 'fine')
        else if (where === 'the handler') throw new Error('secret of the handler')
        else {
          inbound.readBody(100, () => {
            throw new Error('secret of the callback')
          })
        }
      })
      const call = client.call({ method: 'POST', open: true })
      call.write('abc')
      if (where === 'a later turn of the body') await pause(50)
      call.finish()
      assert.equal((await call.head).status, 500)
      assert.ok(!(await call.content()).includes('secret'))
      assert.match(String(thrown), /^Error: secret of the (?:handler|callback)$/)
      assert.equal((await client.call({ path: '/fine' }).content()).toString(), 'fine')
    })
  }

  test('an error thrown while streaming breaks the reply off', async () => {
    const { client } = await bench.start((inbound) => {
      inbound.reply.head(200, [])
      inbound.reply.write('part')
      inbound.streamBody(100, {
        data: () => {
          throw new Error('secret of the sink')
        },
        end: () => inbound.reply.end(),
        failure: () => undefined,
      })
    })
    const call = client.call({ method: 'POST', open: true })
    await call.head
    call.write('abc')
    await assert.rejects(call.content())
  })

  test('fields that repeat arrive as often as they were given', async () => {
    const { client } = await bench.start((inbound) => {
      inbound.reply.send(200, ['set-cookie', 'a=1', 'set-cookie', 'b=2', 'x-many', '1', 'x-many', '2'], '')
    })
    const { headers } = await client.call({}).head
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2'])
    assert.equal(String(headers['x-many']).replaceAll(' ', ''), '1,2')
  })

  test('a field of which there may be only one does not break the reply when it repeats', async () => {
    const { client } = await bench.start((inbound) => {
      inbound.reply.send(200, ['content-type', 'a/b', 'content-type', 'a/b'], 'whole')
    })
    assert.equal((await client.call({}).content()).toString(), 'whole')
  })
}
