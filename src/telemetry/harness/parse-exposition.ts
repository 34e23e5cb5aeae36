/**
 * A strict reader of what `writeExposition` writes: Prometheus text 0.0.4 and OpenMetrics 1.0. It throws where a line
 * breaks a rule of either that we can break: order of metadata, names, types, escapes, buckets, counts, doubles, end.
 */
import type { ExpositionFormat } from '../write-exposition.ts'

export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ParsedFamily {
  readonly name: string
  readonly type: string
  readonly help: string
  readonly unit: string
  readonly samples: readonly Sample[]
}

interface Open {
  name: string
  type: string
  help: string
  unit: string
  samples: Sample[]
}

const metadata = /^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/
const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.+)\})? (\S+)$/
const labelPair = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y
const suffixes: Readonly<Record<string, readonly string[]>> = {
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
}

export function parseExposition(text: string, format: ExpositionFormat): readonly ParsedFamily[] {
  const lines = text.split('\n')
  if (lines.pop() !== '') throw new Error('the last line does not end')
  if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('there is no # EOF at the end')
  const families: Open[] = []
  for (const line of lines) {
    const found = metadata.exec(line)
    if (found !== null) addMetadata(families, found, format)
    else addSample(families, line, format)
  }
  const names = new Set(families.map(({ name }) => name))
  if (names.size !== families.length) throw new Error('a family stands there twice')
  for (const family of families) checkFamily(family, format)
  return families
}

function addMetadata(families: Open[], found: RegExpExecArray, format: ExpositionFormat): void {
  const [, what = '', name = '', value = ''] = found
  if (what === 'HELP') {
    families.push({ name, type: '', help: value, unit: '', samples: [] })
    return
  }
  const family = families.at(-1)
  if (family?.name !== name || family.samples.length > 0) throw new Error(`${what} ${name} is out of place`)
  if (what === 'TYPE') family.type = value
  else if (format === 'openmetrics' && name.endsWith(`_${value}`)) family.unit = value
  else throw new Error(`UNIT ${name} ${value}`)
}

function addSample(families: readonly Open[], line: string, format: ExpositionFormat): void {
  const found = sampleLine.exec(line)
  const family = families.at(-1)
  if (found === null || family === undefined) throw new Error(`not a line of the format: ${line}`)
  const [, name = '', labels = '', value = ''] = found
  const allowed = suffixes[family.type] ?? (format === 'openmetrics' ? ['_total'] : [''])
  if (!allowed.some((suffix) => family.name + suffix === name)) throw new Error(`${name} in ${family.name}`)
  family.samples.push({ name, labels: parseLabels(labels), value: parseNumber(value) })
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  labelPair.lastIndex = 0
  let at = 0
  for (let found = labelPair.exec(text); found !== null; found = labelPair.exec(text)) {
    const [whole, name = '', value = ''] = found
    if (name in labels) throw new Error(`${name} twice in ${text}`)
    labels[name] = value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
    at += whole.length
    if (at === text.length) break
  }
  if (at !== text.length) throw new Error(`labels that cannot be read: ${text}`)
  return labels
}

function parseNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (!/^-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?$/.test(text)) throw new Error(`not a number: ${text}`)
  return Number(text)
}

function checkFamily({ name, type, help, samples }: Open, format: ExpositionFormat): void {
  if (help === '' || !['counter', 'gauge', 'histogram'].includes(type)) throw new Error(`${name}: ${type}`)
  if (format === 'openmetrics' && type === 'counter' && name.endsWith('_total')) throw new Error(name)
  const seen = new Set<string>()
  for (const { name: own, labels, value } of samples) {
    const key = `${own} ${JSON.stringify(Object.entries(labels).toSorted())}`
    if (seen.has(key)) throw new Error(`twice: ${key}`)
    seen.add(key)
    if (type !== 'gauge' && !(value >= 0)) throw new Error(`${key} is ${value}`)
  }
  if (type === 'histogram') checkHistogram(name, samples, format)
}

/** Buckets ascend, the infinite one is there and is the count. */
function checkHistogram(name: string, samples: readonly Sample[], format: ExpositionFormat): void {
  const buckets = new Map<string, { bound: number; count: number }>()
  for (const { name: own, labels, value } of samples) {
    const { le, ...rest } = labels
    const key = JSON.stringify(rest)
    const last = buckets.get(key)
    if (own === `${name}_bucket`) {
      const bound = parseNumber(le ?? '')
      if (format === 'openmetrics' && !/[.e]|Inf/.test(le ?? '')) throw new Error(`${name}: le ${le}`)
      if (last !== undefined && (bound <= last.bound || value < last.count)) throw new Error(`${name} ${le}`)
      buckets.set(key, { bound, count: value })
    } else if (own === `${name}_count` && (last?.bound !== Number.POSITIVE_INFINITY || last.count !== value))
      throw new Error(`${name}: the count is not the infinite bucket`)
  }
}
