/**
 * Families as text: Prometheus text format 0.0.4, or OpenMetrics 1.0. The two differ in what names a counter family
 * (`_total` belongs to the sample in OpenMetrics), in escapes of HELP, in UNIT, in how whole numbers are written where
 * they are bounds, and in the end mark.
 */

import type { Metric } from './metric.ts'
import type { Exemplar, MetricFamily, Series } from './metric-family.ts'

export type ExpositionFormat = 'prometheus' | 'openmetrics'

export const contentTypes: Readonly<Record<ExpositionFormat, string>> = Object.freeze({
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
})

export function writeExposition(families: readonly MetricFamily[], format: ExpositionFormat): string {
  const text = families.map((family) => writeFamily(family, format)).join('')
  return format === 'openmetrics' ? `${text}# EOF\n` : text
}

function writeFamily({ metric, series }: MetricFamily, format: ExpositionFormat): string {
  if (series.length === 0) return ''
  const isOpen = format === 'openmetrics'
  const name = isOpen && metric.kind === 'counter' ? metric.name.replace(/_total$/, '') : metric.name
  const help = `# HELP ${name} ${isOpen ? escapeText(metric.help) : escapeHelp(metric.help)}\n`
  const unit = isOpen && metric.unit !== '' ? `# UNIT ${name} ${metric.unit}\n` : ''
  const lines = series.map((each) =>
    metric.kind === 'histogram' ? histogramLines(metric, each, isOpen) : plainLine(metric, each),
  )
  return `${help}# TYPE ${name} ${metric.kind}\n${unit}${lines.join('')}`
}

function plainLine({ name, labels }: Metric, { values, cells }: Series): string {
  return `${name}${braces(pairs(labels, values))} ${numberText(cells[0] ?? 0)}\n`
}

/** Cumulative buckets, as both formats have them; the last one is the count. */
function histogramLines(
  { name, labels, buckets }: Metric,
  { values, cells, exemplars }: Series,
  isOpen: boolean,
): string {
  const own = pairs(labels, values)
  const shown = (at: number): string => (isOpen ? exemplarText(exemplars?.[at]) : '')
  let count = 0
  let text = ''
  for (const [at, bound] of buckets.entries()) {
    count += cells[at] ?? 0
    text += `${name}_bucket${braces([...own, `le="${boundText(bound, isOpen)}"`])} ${count}${shown(at)}\n`
  }
  count += cells[buckets.length] ?? 0
  text += `${name}_bucket${braces([...own, 'le="+Inf"'])} ${count}${shown(buckets.length)}\n`
  const sum = numberText(cells[buckets.length + 1] ?? 0)
  return `${text}${name}_sum${braces(own)} ${sum}\n${name}_count${braces(own)} ${count}\n`
}

/** OpenMetrics 1.0, "Exemplars". */
function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return ''
  const { traceId, spanId, value, at } = exemplar
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${numberText(value)} ${at.toFixed(3)}`
}

/** An empty value says the same as no label. */
function pairs(labels: readonly string[], values: readonly string[]): string[] {
  return labels.flatMap((label, at) => {
    const value = values[at] ?? ''
    return value === '' ? [] : [`${label}="${escapeText(value)}"`]
  })
}

function braces(list: readonly string[]): string {
  return list.length === 0 ? '' : `{${list.join(',')}}`
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}

/** OpenMetrics 1.0 wants bounds as floating-point numbers. */
function boundText(bound: number, isOpen: boolean): string {
  return isOpen && Number.isInteger(bound) ? `${bound}.0` : String(bound)
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeText(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
