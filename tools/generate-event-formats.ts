// Writes docs/reference/event-formats.md (examples and fields) and the templates of deploy/elastic from the tables of
// src/events.

import { sampleEvent } from '../src/events/harness/sample-events.ts'
import {
  cefLine,
  type EcsType,
  ecsDocument,
  ecsFields,
  ecsVersion,
  leefLine,
  ocsfDocument,
  ocsfVersion,
  otlpRecord,
  ownFields,
  sentinelRecord,
  syslogMessage,
} from '../src/events/index.ts'
import { writeGenerated } from './write-generated.ts'

const fields = { ...ecsFields, ...ownFields }

interface Mapping {
  type?: EcsType
  ignore_above?: number
  properties?: Record<string, Mapping>
}

/** Nested properties from dotted names. Longer keywords are kept in the document and not indexed. */
function mappings(): Record<string, Mapping> {
  const root: Mapping = { properties: {} }
  for (const [path, type] of Object.entries(fields)) {
    let place = root
    for (const name of path.split('.')) {
      place.properties ??= {}
      place.properties[name] ??= {}
      place = place.properties[name]
    }
    place.type = type
    if (type === 'keyword') place.ignore_above = 1024
  }
  return root.properties ?? {}
}

const meta = { description: `Made from src/events, ECS ${ecsVersion}` }
// Short lists stand on one line, as the formatter of the project writes them.
const json = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replace(/\[\n\s+("[^"\n]+")\n\s+\]/g, '[$1]')}\n`

writeGenerated(
  'deploy/elastic/component-template.json',
  json({ template: { mappings: { dynamic: false, properties: mappings() } }, _meta: meta }),
)
writeGenerated(
  'deploy/elastic/index-template.json',
  json({
    index_patterns: ['logs-gatewright.*-*'],
    data_stream: {},
    priority: 500,
    composed_of: ['gatewright'],
    template: { settings: { index: { lifecycle: { name: 'gatewright' } } } },
    _meta: meta,
  }),
)
writeGenerated(
  'deploy/elastic/opensearch-index-template.json',
  json({
    index_patterns: ['logs-gatewright.*-*'],
    data_stream: {},
    priority: 500,
    template: { mappings: { dynamic: false, properties: openSearchMappings(mappings()) } },
    _meta: meta,
  }),
)

/** Types that OpenSearch does not have in all releases, as the plain ones. */
function openSearchMappings(properties: Record<string, Mapping>): Record<string, unknown> {
  const plain: Partial<Record<EcsType, string>> = { constant_keyword: 'keyword', match_only_text: 'text' }
  return Object.fromEntries(
    Object.entries(properties).map(([name, mapping]) => [
      name,
      mapping.properties === undefined
        ? { ...mapping, type: plain[mapping.type ?? 'keyword'] ?? mapping.type }
        : { properties: openSearchMappings(mapping.properties) },
    ]),
  )
}

const example = sampleEvent()
const pretty = (text: string): string => JSON.stringify(JSON.parse(text), null, 2)
const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\``
const frame = { hostname: 'gateway-1', payload: cefLine }

writeGenerated(
  'docs/reference/event-formats.md',
  [
    '<!-- Generated from src/events by npm run generate. -->',
    '# Formats of events',
    '',
    'One event, a call that was answered, in each format. What each sink takes is in [the guide](../guides/siem.md).',
    '',
    `## ECS ${ecsVersion}`,
    block('json', pretty(ecsDocument(example))),
    '',
    `## OCSF ${ocsfVersion}`,
    block('json', pretty(ocsfDocument(example))),
    '',
    '## CEF',
    block('text', cefLine(example)),
    '',
    '## LEEF 2.0',
    'Attributes are parted by tabs.',
    '',
    block('text', leefLine(example)),
    '',
    '## Syslog, RFC 5424, with CEF as payload',
    block('text', syslogMessage(example, frame)),
    '',
    '## OTLP log record',
    block('json', pretty(otlpRecord(example))),
    '',
    '## Row for Microsoft Sentinel',
    block('json', pretty(sentinelRecord(example))),
    '',
    '## Fields of ECS documents',
    '',
    '| field | type | |',
    '|---|---|---|',
    ...Object.entries(ecsFields).map(([name, type]) => `| \`${name}\` | ${type} | ECS |`),
    ...Object.entries(ownFields).map(([name, type]) => `| \`${name}\` | ${type} | own |`),
    '',
  ].join('\n'),
)
