/** How `bounds` is written in `gatewright.yaml`: what one request, connection and answer may be. */
import { count, section } from './schema-parts.ts'

export const boundsSchema = section(
  'Bounds of the data plane. A request beyond a bound is refused and changes nothing.',
  {
    headerBytes: count('Largest request head, bytes.', 32_768, [1024, 1_048_576]),
    headerCount: count('Most header fields in a request.', 100, [8, 2000]),
    bodyBytes: count('Largest JSON request body, bytes.', 33_554_432, [1024]),
    uploadBytes: count('Largest upload (files, audio, images), bytes.', 536_870_912, [1024]),
    jsonDepth: count('Deepest nesting of a JSON body.', 64, [4, 1000]),
    jsonKeys: count('Most keys in a JSON body, all levels together.', 100_000, [16]),
    connections: count('Most open client connections of the process.', 10_000),
    connectionsPerAddress: count(
      'Most open connections of one client: an IPv4 address or the /64 of an IPv6 address.',
      5_000,
    ),
    wrongKeysPerMinute: count(
      'Wrong API keys of one client (an IPv4 address or the /64 of an IPv6 address), a minute and worker, before the next are refused unseen; 0 for no bound.',
      60,
      [0],
    ),
    newConnectionsPerSecond: count(
      'New connections a second of one client, per worker; those of four seconds may come at once.',
      500,
    ),
    handshakesPerSecond: count(
      'TLS handshakes that begin in a second, per worker; the others wait, in turn by client.',
      800,
    ),
    handshakeTimeoutMs: count('Longest TLS handshake, waiting and PROXY header included.', 10_000, [100]),
    headerTimeoutMs: count(
      'Longest time from the first byte of a request to the end of its head.',
      10_000,
      [100],
    ),
    bodyTimeoutMs: count(
      'Longest time for a request body to arrive; for an upload that streams, the longest silence in it.',
      120_000,
      [100],
    ),
    bodyGraceMs: count('Time after which a request body must keep up its rate.', 20_000, [100]),
    bodyBytesPerSecond: count(
      'Least bytes a second of a request body, on average over each `bodyGraceMs`; 0 asks for none.',
      500,
      [0],
    ),
    idleTimeoutMs: count('How long an idle connection is kept.', 75_000, [100]),
    replyStallTimeoutMs: count(
      'How long a reader may take too little, or nothing, while a reply waits for it.',
      60_000,
      [100],
    ),
    replyBytesPerSecond: count(
      'Least bytes a second that a reader takes while a reply waits, on average over `replyStallTimeoutMs`.',
      250,
      [0],
    ),
    replyBufferBytes: count(
      'Most reply bytes held for a slow reader before the upstream is paused.',
      262_144,
      [4096],
    ),
    http2Streams: count('Most concurrent streams on one HTTP/2 connection.', 128, [1, 10_000]),
    loopDelayMs: count(
      'Mean delay of a worker’s event loop at which requests of the lowest priority are turned away with 503; 0: none are, whatever the load.',
      500,
      [0, 60_000],
    ),
    memoryBytes: count(
      'Resident memory that the process may come to hold; near it requests are turned away, lowest priority first. 0: what the container or the machine has.',
      0,
      [0, 2 ** 50],
    ),
    keepAliveCommentMs: count('Interval of SSE comments until the first token; 0 sends none.', 15_000, [0]),
    responseBytes: count('Largest unary response of a provider, bytes.', 67_108_864, [1024]),
  },
)
