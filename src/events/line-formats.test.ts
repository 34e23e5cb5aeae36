import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { OversightEvent } from '../domain/oversight-event.ts'
import { packageVersion } from '../kernel/package-version.ts'
import { cefLine } from './cef.ts'
import { ecsDocument } from './ecs-document.ts'
import { factsOf } from './event-facts.ts'
import { eventsOfRecord } from './events-of-record.ts'
import { sampleEvent, sampleEvents, sampleExchange } from './harness/sample-events.ts'
import { leefLine } from './leef.ts'
import { ocsfDocument } from './ocsf.ts'
import { otlpRecord } from './otlp-record.ts'
import { sentinelRecord } from './sentinel-record.ts'
import { syslogMessage } from './syslog-message.ts'

const syslogLine = (event: OversightEvent): string =>
  syslogMessage(event, { hostname: 'gw', payload: cefLine })
const formats = { ecsDocument, cefLine, leefLine, syslogLine, ocsfDocument, otlpRecord, sentinelRecord }

/** Text that breaks lines of logs where it is not escaped. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '\n',
        '\r',
        '|',
        '"',
        '=',
        ']',
        '[',
        '\\',
        '\t',
        '\u0000',
        '\u2028',
        '\ud800',
        'é',
        'a',
        ' ',
      ),
    )
    .map((parts) => parts.join('')),
)
const hostileEvent = fc
  .record({
    id: hostile,
    reason: hostile,
    organization: hostile,
    user: hostile,
    model: hostile,
    action: hostile,
  })
  .map(({ id, reason, organization, user, model, action }) =>
    sampleEvent({
      id,
      reason,
      action,
      organizationId: organization,
      actor: { kind: 'key', id, applicationId: organization, address: '192.0.2.7', endUser: user },
      exchange: sampleExchange({ model, servedModel: model }),
    }),
  )

/** Split at a character that no backslash stands before, and take the backslashes away. */
function splitEscaped(text: string, separator: string, most: number): string[] {
  const parts = ['']
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    const last = parts.length - 1
    if (parts.length > most) parts[last] += char
    else if (char === '\\') {
      at += 1
      parts[last] += text.charAt(at)
    } else if (char === separator) parts.push('')
    else parts[last] += char
  }
  return parts
}

/** An independent reader of CEF: a key is a word before an `=` without a backslash, after a space or at the start. */
function readCef(line: string): { header: string[]; extension: Map<string, string> } {
  const parts = splitEscaped(line, '|', 7)
  const text = parts[7] ?? ''
  const starts: { key: string; from: number; at: number }[] = []
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '=') {
      const from = text.lastIndexOf(' ', at) + 1
      starts.push({ key: text.slice(from, at), from, at })
    }
  }
  const extension = new Map<string, string>()
  for (const [index, { key, at }] of starts.entries()) {
    const end = starts[index + 1]?.from ?? text.length + 1
    extension.set(
      key,
      splitEscaped(text.slice(at + 1, end - 1), '', 1)
        .join('')
        .replaceAll('\u0000', ''),
    )
  }
  return { header: parts.slice(0, 7), extension }
}

/** An independent reader of structured data (RFC 5424 §6.3). */
function readStructuredData(line: string): Map<string, string> {
  const values = new Map<string, string>()
  let at = line.indexOf('[gatewright@32473') + '[gatewright@32473'.length
  while (line[at] === ' ') {
    const equals = line.indexOf('="', at)
    const name = line.slice(at + 1, equals)
    let value = ''
    for (at = equals + 2; line[at] !== '"'; at += 1) {
      if (line[at] === '\\') at += 1
      value += line[at]
    }
    values.set(name, value)
    at += 1
  }
  assert.equal(line[at], ']')
  return values
}

test('a CEF line is one line, and reads back what it was made of, whatever stands in the values', () => {
  fc.assert(
    fc.property(hostileEvent, (event) => {
      const line = cefLine(event)
      assert.doesNotMatch(line, /[\p{Cc}\u2028]/u)
      const facts = new Map(factsOf(event))
      const { header, extension } = readCef(line)
      assert.deepEqual(header.slice(0, 5), [
        'CEF:0',
        'Gatewright',
        'Gatewright',
        packageVersion,
        facts.get('action') ?? '',
      ])
      assert.equal(extension.get('externalId'), facts.get('id'))
      assert.equal(extension.get('suser'), facts.get('endUser'))
      assert.equal(extension.get('cs3'), facts.get('model'))
      assert.equal(extension.get('src'), '192.0.2.7')
    }),
  )
})

test('a LEEF line is one line, and its attributes read back', () => {
  fc.assert(
    fc.property(hostileEvent, (event) => {
      const line = leefLine(event)
      assert.doesNotMatch(line.replaceAll('\t', ''), /[\p{Cc}\u2028]/u)
      const [version, , , , , delimiter, ...rest] = line.split('|')
      assert.deepEqual([version, delimiter], ['LEEF:2.0', 'x09'])
      const attributes = new Map(
        rest
          .join('|')
          .split('\t')
          .map((pair): [string, string] => [
            pair.slice(0, pair.indexOf('=')),
            pair.slice(pair.indexOf('=') + 1),
          ]),
      )
      const facts = new Map(factsOf(event))
      for (const name of ['id', 'endUser', 'model']) assert.equal(attributes.get(name), facts.get(name))
    }),
  )
})

test('a syslog message is one line of RFC 5424, and its structured data reads back', () => {
  fc.assert(
    fc.property(hostileEvent, (event) => {
      const line = syslogLine(event)
      assert.doesNotMatch(line, /[\p{Cc}\u2028]/u)
      assert.match(line, /^<134>1 2026-11-01T12:00:00\.000Z gw gatewright - [!-~]{1,32} \[gatewright@32473 /)
      const values = readStructuredData(line)
      for (const [name, value] of factsOf(event)) assert.equal(values.get(name), String(value))
    }),
  )
})

test('every JSON format is one line of well-formed JSON, whatever stands in the values', () => {
  fc.assert(
    fc.property(hostileEvent, (event) => {
      for (const format of [ecsDocument, ocsfDocument, otlpRecord, sentinelRecord]) {
        const text = format(event)
        assert.equal(text.includes('\n'), false)
        assert.ok(text.isWellFormed())
        assert.equal(JSON.stringify(JSON.parse(text)), text)
      }
    }),
  )
})

test('priorities follow RFC 5424: facility of the stream, level of the severity', () => {
  const priorities = sampleEvents.map((event) => /^<\d+>/.exec(syslogLine(event))?.[0])
  assert.deepEqual(priorities.slice(0, 9), [
    '<134>',
    '<134>',
    '<134>',
    '<85>',
    '<85>',
    '<83>',
    '<82>',
    '<85>',
    '<110>',
  ])
})

test('IPv6 addresses have the field that CEF keeps for them', () => {
  const line = cefLine(sampleEvent({ actor: { ...sampleEvent().actor, address: '2001:db8::7' } }))
  assert.match(line, / c6a2=2001:db8::7 c6a2Label=Source IPv6 Address /)
  assert.doesNotMatch(line, / src=/)
})

const secrets = [
  'sk-proj-abcdefghijklmnop1234567890',
  'gwr_live_abcdefghij_0123456789abcdef_123456',
  'AKIAIOSFODNN7EXAMPLE',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc',
  'Bearer 0123456789abcdef',
]

test('what has no field in an event is in no format: tags, bodies, headers and credentials of a record', () => {
  const marker = 'MARKER-7f3a'
  const record = {
    ...{
      id: 'req_1',
      time: 0,
      organizationId: 'org',
      applicationId: 'app',
      keyId: 'key',
      productId: '',
      operation: 'chat.create',
    },
    ...{
      dialect: 'openai-chat',
      model: 'm',
      servedModel: 'm',
      deploymentId: 'dep',
      providerId: 'openai',
      status: 401,
    },
    ...{
      fault: 'auth.invalid-key',
      outcome: 'refused' as const,
      streamed: false,
      attempts: 0,
      inputTokens: 0,
    },
    ...{ outputTokens: 0, cachedInputTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, estimated: false },
    ...{
      costMicroUsd: null,
      requestBytes: 0,
      responseBytes: 0,
      durationMs: 1,
      firstByteMs: 1,
      overheadMs: 1,
    },
    ...{ endUser: '', tags: { [marker]: marker }, refusedBy: marker, limitsPassed: [marker] },
    ...{ body: marker, headers: { authorization: marker }, prompt: marker, apiKey: marker, cookie: marker },
  } as const
  const events = eventsOfRecord(record)
  assert.equal(events.length, 2)
  for (const event of events) {
    const extended = { ...event, body: marker, actor: { ...event.actor, secret: marker } }
    for (const [name, format] of Object.entries(formats))
      assert.equal(format(extended).includes(marker), false, name)
  }
})

test('a key that a caller writes where a model or a user belongs is in no format', () => {
  for (const secret of secrets) {
    const event = sampleEvent({
      actor: { ...sampleEvent().actor, endUser: `user ${secret}` },
      exchange: sampleExchange({ model: secret, servedModel: `x/${secret}` }),
    })
    for (const [name, format] of Object.entries(formats)) {
      assert.equal(format(event).includes(secret), false, `${name}: ${secret}`)
    }
  }
})
