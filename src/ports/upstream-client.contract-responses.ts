/** Contract of `UpstreamClient`: framing of responses, order of calls, reuse of connections. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe } from 'node:test'
import { outcomeOf, until } from './upstream-client.contract-calls.ts'
import type { ContractContext } from './upstream-client.contract-context.ts'
import { httpServer, scriptedServer } from './upstream-client.contract-server.ts'

interface Reply {
  readonly name: string
  readonly method?: string
  readonly bytes: string
  /** The server closes after the bytes. */
  readonly closes?: boolean
  readonly status: number
  readonly body: string
}

const replies: readonly Reply[] = [
  {
    name: 'Content-Length',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    status: 200,
    body: 'hello',
  },
  { name: 'Content-Length 0', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', status: 200, body: '' },
  {
    name: 'chunked',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\n\r\n',
    status: 200,
    body: 'hello',
  },
  {
    name: 'chunked with trailers',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
    status: 200,
    body: 'hello',
  },
  { name: 'until close', bytes: 'HTTP/1.1 200 OK\r\n\r\nhello', closes: true, status: 200, body: 'hello' },
  { name: 'HTTP/1.0', bytes: 'HTTP/1.0 200 OK\r\n\r\nhello', closes: true, status: 200, body: 'hello' },
  { name: '204', bytes: 'HTTP/1.1 204 No Content\r\n\r\n', status: 204, body: '' },
  { name: '304', bytes: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', status: 304, body: '' },
  {
    name: 'HEAD',
    method: 'HEAD',
    bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    status: 200,
    body: '',
  },
  {
    name: 'interim responses before the final one',
    bytes:
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n' +
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    status: 200,
    body: 'hello',
  },
]

export function responseGuarantees(context: ContractContext): void {
  describe('responses', () => {
    for (const reply of replies) {
      context.guarantee(`reads ${reply.name} in one piece`, () =>
        readsReply(context, reply, reply.bytes.length),
      )
      context.guarantee(`reads ${reply.name} byte by byte`, () => readsReply(context, reply, 1))
    }
    framingAndOrder(context)
    requestsAsWritten(context)
  })
  describe('connections', () => {
    reuse(context)
    noReuse(context)
  })
}

async function readsReply(context: ContractContext, reply: Reply, step: number): Promise<void> {
  await using server = await scriptedServer(context.certificate, (socket) => {
    socket.setNoDelay(true)
    dribble(socket, reply, step)
  })
  const outcome = await outcomeOf(context.client, context.origin(server.port), {
    method: reply.method ?? 'GET',
  })
  assert.equal(outcome.failure, null)
  assert.equal(outcome.status, reply.status)
  assert.equal(outcome.body.toString(), reply.body)
  assert.deepEqual(outcome.events, reply.body === '' ? ['head', 'end'] : ['head', 'data', 'end'])
}

/** The reply in pieces of `step` bytes, one each turn of the event loop. */
function dribble(socket: Socket, reply: Reply, step: number): void {
  let at = 0
  const next = (): void => {
    if (at < reply.bytes.length) {
      socket.write(reply.bytes.slice(at, at + step), 'latin1')
      at += step
      setImmediate(next)
    } else if (reply.closes === true) socket.end()
  }
  next()
}

function framingAndOrder(context: ContractContext): void {
  context.guarantee('gives header names in lower case, in wire order, duplicates kept', async () => {
    await using server = await scriptedServer(context.certificate, (socket) => {
      socket.write(
        'HTTP/1.1 200 OK\r\nX-B: 1\r\nSet-Cookie: a\r\nx-a: 2\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n',
      )
    })
    const { headers } = await outcomeOf(context.client, context.origin(server.port))
    assert.deepEqual(headers, [
      'x-b',
      '1',
      'set-cookie',
      'a',
      'x-a',
      '2',
      'set-cookie',
      'b',
      'content-length',
      '0',
    ])
  })

  context.guarantee('reports a redirect and does not follow it', async () => {
    let requests = 0
    await using server = await httpServer(context.certificate, (_req, res) => {
      requests += 1
      res.writeHead(307, { location: '/elsewhere' }).end()
    })
    const { status } = await outcomeOf(context.client, context.origin(server.port))
    assert.equal(status, 307)
    assert.equal(requests, 1)
  })

  context.guarantee('asks for no compression and decompresses nothing', async () => {
    const asked: unknown[] = []
    await using server = await httpServer(context.certificate, (req, res) => {
      asked.push(req.headers['accept-encoding'])
      res.writeHead(200, { 'content-encoding': 'gzip' }).end('not gzip at all')
    })
    const { body } = await outcomeOf(context.client, context.origin(server.port))
    assert.equal(body.toString(), 'not gzip at all')
    assert.deepEqual(asked, [undefined])
  })
}

function requestsAsWritten(context: ContractContext): void {
  context.guarantee('sends method, path, host, headers and body as given', async () => {
    await using server = await httpServer(context.certificate, (req, res) => {
      const chunks: Buffer[] = []
      req.on('data', (chunk: Buffer) => chunks.push(chunk))
      req.on('end', () => {
        const { method, url, headers } = req
        res.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }))
      })
    })
    const { body } = await outcomeOf(context.client, context.origin(server.port), {
      method: 'POST',
      path: '/v1/x?y=1',
      headers: ['Content-Type', 'text/plain', 'X-Umlaut', 'gr\u00fcn'],
      body: Buffer.from('päyload'),
    })
    const seen = JSON.parse(body.toString()) as Record<string, unknown> & { headers: Record<string, unknown> }
    assert.equal(seen['method'], 'POST')
    assert.equal(seen['url'], '/v1/x?y=1')
    assert.equal(seen['body'], 'päyload')
    assert.equal(seen.headers['host'], `127.0.0.1:${server.port}`)
    assert.equal(seen.headers['content-type'], 'text/plain')
    assert.equal(seen.headers['x-umlaut'], 'gr\u00fcn')
    assert.equal(seen.headers['content-length'], '8')
    assert.equal(seen.headers['transfer-encoding'], undefined)
  })

  for (const [name, value] of [
    ['x-a', 'b\r\nx-injected: 1'],
    ['x-a\r\nx-injected', '1'],
    ['x-a', 'b\u0000'],
    ['x-a', 'snow\u2603'],
  ] as const) {
    context.guarantee(
      `sends nothing for the header ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
      async () => {
        await using server = await scriptedServer(context.certificate, (socket) => socket.destroy())
        const { failure } = await outcomeOf(context.client, context.origin(server.port), {
          headers: [name, value],
        })
        assert.equal(failure?.kind, 'protocol')
        assert.equal(failure.unsent, true)
        assert.equal(server.accepted, 0)
      },
    )
  }
}

function reuse(context: ContractContext): void {
  context.guarantee('serves calls that follow each other on one connection', async () => {
    await using server = await httpServer(context.certificate, (_req, res) => res.end('hello'))
    for (let i = 0; i < 5; i += 1) {
      assert.equal((await outcomeOf(context.client, context.origin(server.port))).body.toString(), 'hello')
    }
    assert.equal(server.accepted, 1)
  })

  context.guarantee('never puts two calls on one connection at the same time', async () => {
    await using server = await httpServer(context.certificate, (_req, res) => {
      setTimeout(() => res.end('hello'), 30)
    })
    const origin = context.origin(server.port)
    await Promise.all([1, 2, 3].map(() => outcomeOf(context.client, origin)))
    assert.equal(server.accepted, 3)
  })

  context.guarantee('survives a server that closed its idle connections', async () => {
    await using server = await httpServer(context.certificate, (_req, res) => res.end('hello'))
    const origin = context.origin(server.port)
    await outcomeOf(context.client, origin)
    server.hangUp()
    await until(() => server.open === 0, 'the connection is closed')
    const { failure, body } = await outcomeOf(context.client, origin, {
      method: 'POST',
      body: Buffer.from('x'),
    })
    assert.equal(failure, null)
    assert.equal(body.toString(), 'hello')
    assert.equal(server.accepted, 2)
  })

  context.guarantee('closes idle connections when told', async () => {
    await using server = await httpServer(context.certificate, (_req, res) => res.end('hello'))
    const client = context.another()
    await outcomeOf(client, context.origin(server.port))
    assert.equal(server.open, 1)
    client.close()
    await until(() => server.open === 0, 'the idle connection is closed')
  })
}

function noReuse(context: ContractContext): void {
  const cases: readonly (readonly [string, string])[] = [
    ['after Connection: close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['after HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    [
      'after Keep-Alive: timeout=1',
      'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok',
    ],
  ]
  for (const [name, bytes] of cases) {
    context.guarantee(`takes a new connection ${name}`, async () => {
      await using server = await scriptedServer(context.certificate, (socket) => socket.write(bytes))
      for (let i = 0; i < 2; i += 1) {
        assert.equal((await outcomeOf(context.client, context.origin(server.port))).body.toString(), 'ok')
      }
      assert.equal(server.accepted, 2)
    })
  }

  context.guarantee(
    'takes a new connection when bytes follow the response, and never reads them as the next one',
    async () => {
      await using server = await scriptedServer(context.certificate, (socket) => {
        const one = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
        socket.write(`${one}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`)
      })
      const first = await outcomeOf(context.client, context.origin(server.port))
      const second = await outcomeOf(context.client, context.origin(server.port))
      // A client may tell the first call about the surplus, or leave it be: it must not reuse the connection.
      for (const { failure, body } of [first, second]) {
        if (failure === null) assert.equal(body.toString(), 'ok')
        else assert.equal(failure.kind, 'protocol')
      }
      assert.equal(server.accepted, 2)
    },
  )
}
