/** Metrics of a gateway under test, read as a scraper reads them. */
import { parseExposition } from '../../telemetry/harness/parse-exposition.ts'
import { openMetricReader, withViews, writeExposition } from '../../telemetry/index.ts'

export interface MetricFigures {
  scrape(): string
  /** By name and labels: `name label=value label=value`. */
  read(): ReadonlyMap<string, number>
  /** From now on, `grown` tells what has grown since. */
  mark(): void
  grown(pattern: RegExp): Record<string, number>
}

export function openMetricFigures(memory: SharedArrayBuffer): MetricFigures {
  const reader = openMetricReader(memory)
  let before: ReadonlyMap<string, number> = new Map()
  const scrape = (): string => writeExposition(withViews(reader.read()), 'prometheus')
  const keyOf = (labels: Readonly<Record<string, string>>): string =>
    Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')
  function read(): ReadonlyMap<string, number> {
    const samples = parseExposition(scrape(), 'prometheus').flatMap((family) => family.samples)
    return new Map(samples.map(({ name, labels, value }) => [`${name} ${keyOf(labels)}`.trim(), value]))
  }
  return {
    scrape,
    read,
    mark() {
      before = read()
    },
    grown(pattern) {
      const found = [...read()].filter(
        ([key, value]) => pattern.test(key) && value !== (before.get(key) ?? 0),
      )
      return Object.fromEntries(found.map(([key, value]) => [key, value - (before.get(key) ?? 0)]))
    },
  }
}
