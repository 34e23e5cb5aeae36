import { createEgressGuard } from '../../egress/index.ts'
import { upstreamClientContract } from '../../ports/upstream-client.contract.ts'
import { createUndiciClient } from './undici-client.contract-reference.ts'

const unasked = 'takes 100 Continue for an error where no Expect was sent'
const waits = 'reports a response only after its own body was sent'
const lenient = 'takes it'
const named = 'refuses it, as a broken connection'
const unbounded = 'has no such bound; waits'

/** Where undici does otherwise, for reasons of its own. */
const exceptions: Readonly<Record<string, string>> = {
  'reads interim responses before the final one in one piece': unasked,
  'reads interim responses before the final one byte by byte': unasked,
  'fails with first-byte-timeout at its figure after "HTTP/1.1 100 Continue\\r\\n\\r\\n"': unasked,
  'delivers a 200 that comes before the body was sent, and drops the connection': waits,
  'delivers a 413 that comes before the body was sent, and drops the connection': waits,
  'reuses a connection whose last call ended while paused': 'holds the end back while paused',
  'HTTP/2.0': lenient,
  'status 099': named,
  'Content-Length and Transfer-Encoding': named,
  'different Content-Lengths': named,
  'repeated Content-Length': named,
  'list of Content-Lengths': named,
  'enormous Content-Length': named,
  'unknown transfer coding': lenient,
  'stacked transfer codings': lenient,
  'chunked twice': lenient,
  'chunked in HTTP/1.0': lenient,
  'chunk size beyond 32 bits': unbounded,
  '204 with a body': lenient,
  '204 chunked': lenient,
  'too many headers': unbounded,
}

for (const tls of [false, true]) {
  upstreamClientContract({
    name: 'undici',
    tls,
    create: (certificate) =>
      createUndiciClient({ egress: createEgressGuard(), extraCertificates: [certificate] }),
    exceptions,
  })
}
