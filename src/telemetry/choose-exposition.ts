/** Which format a scraper prefers, by `Accept` (RFC 9110 §12.5.1). Prometheus text where it says nothing we have. */
import type { ExpositionFormat } from './write-exposition.ts'

const maxRanges = 20

export function chooseExposition(accept: string | undefined): ExpositionFormat {
  let best: ExpositionFormat = 'prometheus'
  let bestWeight = 0
  for (const range of (accept ?? '').split(',').slice(0, maxRanges)) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const format = formatOf(type, parameters)
    const weight = weightOf(parameters)
    if (format === null || weight <= bestWeight) continue
    best = format
    bestWeight = weight
  }
  return best
}

function formatOf(type: string, parameters: readonly string[]): ExpositionFormat | null {
  if (type === 'text/plain' || type === 'text/*' || type === '*/*') return 'prometheus'
  if (type !== 'application/openmetrics-text') return null
  const version = parameters.find((parameter) => parameter.startsWith('version='))
  return version === undefined || /^version="?1\.0\.0"?$/.test(version) ? 'openmetrics' : null
}

function weightOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  if (given === undefined) return 1
  const weight = Number(given)
  return weight >= 0 && weight <= 1 ? weight : 0
}
