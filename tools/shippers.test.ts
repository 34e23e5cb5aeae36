// What deploy/logstash and deploy/filebeat say, against documents as the product writes them: neither program runs here.
// The part of Logstash's language that the pipeline uses is read by a small reader of its own.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { sampleEvents } from '../src/events/harness/sample-events.ts'
import { dataStreamOf, ecsDocument, ecsFields, ownFields } from '../src/events/index.ts'
import { projectRoot } from './pinned-node.mjs'

const read = (path: string): string => readFileSync(join(projectRoot, 'deploy', path), 'utf8')
const topLevel = new Set(Object.keys({ ...ecsFields, ...ownFields }).map((name) => name.split('.', 1)[0]))
/** What these programs add, and is taken off again. */
const foreign = ['@version', 'tags', 'agent', 'host', 'input', 'log', 'process', '[event][original]']

type Document = { readonly [name: string]: Document | string | undefined }

function valueAt(document: Document, path: readonly string[]): string {
  let place: Document | string | undefined = document
  for (const name of path) place = typeof place === 'object' ? place[name] : undefined
  assert.equal(typeof place, 'string', path.join('.'))
  return String(place)
}

/** `%{[a][b]}` of Logstash, `%{[a.b]}` of Filebeat. */
function expand(pattern: string, document: Document): string {
  return pattern.replaceAll(/%\{\[(.+?)\]\}/g, (_, path: string) => valueAt(document, path.split(/\]\[|\./)))
}

/** A pattern names the data stream of each event that the product may send. */
function assertStream(pattern: string): void {
  for (const event of sampleEvents)
    assert.equal(expand(pattern, JSON.parse(ecsDocument(event))), dataStreamOf(event, 'default'))
}

interface Plugin {
  readonly section: string
  readonly name: string
  readonly settings: ReadonlyMap<string, string>
}

const token = /#[^\n]*|"[^"]*"|'[^']*'|=>|[[\]{},]|[^\s{}[\],"'#=]+|==|=/g

/** Plugins of a pipeline with the text of their settings. @throws where braces do not match */
function readPipeline(text: string): readonly Plugin[] {
  const plugins: Plugin[] = []
  const open: string[] = []
  let settings = new Map<string, string>()
  const words = (text.match(token) ?? []).filter((word) => !word.startsWith('#'))
  let head: string[] = []
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? ''
    if (word === '{') {
      const name = head[0] ?? ''
      open.push(name)
      if (open.length > 1 && name !== 'if') {
        settings = new Map()
        plugins.push({ section: open[0] ?? '', name, settings })
      }
      head = []
    } else if (word === '}') {
      assert.ok(open.pop() !== undefined, 'a brace too many')
      head = []
    } else if (word === '=>') {
      const end = words[at + 1] === '[' ? words.indexOf(']', at) : at + 1
      settings.set(head.pop() ?? '', words.slice(at + 1, end + 1).join(''))
      at = end
    } else head.push(word)
  }
  assert.deepEqual(open, [], 'a brace is not closed')
  return plugins
}

describe('the pipeline of Logstash', () => {
  const text = read('logstash/gatewright.conf')
  const plugins = readPipeline(text)
  const settingsOf = (name: string): ReadonlyMap<string, string> => {
    const found = plugins.find((plugin) => plugin.name === name)
    assert.ok(found, name)
    return found.settings
  }
  const unquoted = (name: string, setting: string): string =>
    (settingsOf(name).get(setting) ?? '').slice(1, -1)

  test('takes files, webhooks and Filebeat in, and has one way out', () => {
    const named = (section: string) =>
      plugins.filter((plugin) => plugin.section === section).map(({ name }) => name)
    assert.deepEqual(named('input'), ['file', 'http', 'beats'])
    assert.deepEqual(named('filter'), ['split', 'ruby', 'mutate'])
    assert.deepEqual(named('output'), ['elasticsearch'])
  })

  test('creates each document in its data stream, under the id of its event', () => {
    assertStream(unquoted('elasticsearch', 'index'))
    for (const event of sampleEvents)
      assert.equal(expand(unquoted('elasticsearch', 'document_id'), JSON.parse(ecsDocument(event))), event.id)
    assert.equal(settingsOf('elasticsearch').get('action'), '"create"')
  })

  test('lets nobody in from elsewhere without a certificate', () => {
    assert.equal(settingsOf('http').get('host'), '"127.0.0.1"')
    assert.equal(settingsOf('beats').get('ssl_client_authentication'), '"required"')
  })

  test('takes off what Logstash adds and nothing of ours', () => {
    const removed = JSON.parse(settingsOf('mutate').get('remove_field') ?? '') as string[]
    for (const name of removed) {
      assert.ok(foreign.includes(name), name)
      assert.ok(!topLevel.has(name), name)
    }
  })

  test('names each variable of the environment at its head', () => {
    const head = text.slice(0, text.indexOf('input {'))
    for (const [, name = ''] of text.matchAll(/\$\{(\w+)\}/g)) assert.ok(head.includes(name), name)
  })

  test('has a queue on disk and a place for what is refused', () => {
    const settings = parse(read('logstash/logstash.yml'))
    assert.equal(settings['queue.type'], 'persisted')
    assert.equal(settings['dead_letter_queue.enable'], true)
  })
})

describe('the configuration of Filebeat', () => {
  const text = read('filebeat/filebeat.yml')
  const config = parse(text)

  test('reads files with those put aside, and syslog by octets over mutual TLS', () => {
    const [file, syslog] = config['filebeat.inputs']
    assert.match(file.paths.join(' '), /^\$\{GATEWRIGHT_EVENTS\} \$\{GATEWRIGHT_EVENTS\}\.\*$/)
    assert.equal(file.parsers[0].ndjson.target, '')
    assert.deepEqual([syslog.framing, syslog.ssl.client_authentication], ['rfc6587', 'required'])
    assert.deepEqual(
      syslog.processors.flatMap((step: object) => Object.keys(step)),
      ['syslog', 'decode_json_fields'],
    )
  })

  test('creates each document in its data stream, under the id of its event', () => {
    assertStream(config['output.elasticsearch'].index)
    const [copy, drop] = config.processors
    assert.deepEqual(copy.copy_fields.fields, [{ from: 'event.id', to: '@metadata._id' }])
    for (const name of drop.drop_fields.fields) assert.ok(foreign.includes(name) && !topLevel.has(name), name)
    assert.equal(config['setup.template.enabled'], false)
  })

  test('names each variable of the environment at its head', () => {
    const head = text.slice(0, text.indexOf('filebeat.inputs:'))
    for (const [, name = ''] of text.matchAll(/\$\{(\w+)\}/g)) assert.ok(head.includes(name), name)
  })
})

test('the reader of pipelines sees a brace that is not closed', () => {
  assert.throws(() => readPipeline('input { file { path => "a" }'))
  assert.throws(() => readPipeline('input { } }'))
})
