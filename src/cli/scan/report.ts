/** What a scan found, for people, for programs and for code scanning (SARIF 2.1.0). No secret is shown whole. */
import { pathToFileURL } from 'node:url'
import { printable } from '../printable.ts'
import type { Finding, ScanFigures } from './scan-terms.ts'

export interface ScanResult {
  readonly findings: readonly Finding[]
  readonly figures: Readonly<ScanFigures>
  readonly durationMs: number
  readonly hasHistory: boolean
}

const names: Readonly<Record<Finding['kind'], string>> = {
  'api-key': 'API key',
  'admin-token': 'admin token',
}

export function writeText({ findings, figures, durationMs, hasHistory }: ScanResult): string {
  const lines = findings.map((finding) => {
    const { kind, publicText, line, column, occurrences } = finding
    const more = occurrences > 1 ? `, in ${occurrences} versions` : ''
    return `${placeOf(finding)}:${line}:${column}: ${names[kind]} ${publicText}_…${more}`
  })
  const { files, objects, bytes, binary, tooLarge, unreadable } = figures
  const megabytes = bytes / 1e6
  const rate = megabytes / Math.max(durationMs / 1000, 1e-3)
  const history = hasHistory ? ` and ${objects} objects of the history` : ''
  const left = `left out: ${binary} binary, ${tooLarge} too large, ${unreadable} unreadable`
  const speed = `${megabytes.toFixed(1)} MB in ${(durationMs / 1000).toFixed(1)} s, ${rate.toFixed(0)} MB/s`
  return `${[...lines, `Scanned ${files} files${history}: ${speed}; ${left}.`].join('\n')}\n`
}

function placeOf({ where, path, commit, object }: Finding): string {
  const name = path === '' ? 'message' : printable(path)
  if (where === 'file') return name
  return `${(commit ?? object ?? '').slice(0, 12)}:${name}`
}

export function writeJson({ findings, figures, durationMs }: ScanResult): string {
  return `${JSON.stringify({ findings, scanned: { ...figures, durationMs: Math.round(durationMs) } }, null, 2)}\n`
}

const rules: readonly { readonly id: Finding['kind']; readonly text: string }[] = [
  { id: 'api-key', text: 'An API key of Gatewright stands in clear text. Rotate or revoke it.' },
  { id: 'admin-token', text: 'An admin token of Gatewright stands in clear text. Revoke it.' },
]

export function writeSarif({ findings }: ScanResult, version: string): string {
  const driver = {
    name: 'gatewright scan',
    version,
    informationUri: 'https://gatewright.dev/',
    rules: rules.map(({ id, text }) => ({
      id,
      shortDescription: { text: names[id] },
      fullDescription: { text },
      defaultConfiguration: { level: 'error' },
    })),
  }
  const results = findings.map((finding) => {
    const { kind, publicText, line, column, fingerprint, commit } = finding
    const place = commit === undefined ? '' : ` in commit ${commit}`
    return {
      ruleId: kind,
      level: 'error',
      message: { text: `${names[kind]} ${publicText}_…${place}` },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: uriOf(finding.path) },
            region: { startLine: line, startColumn: column },
          },
        },
      ],
      partialFingerprints: { secretSha256: fingerprint },
    }
  })
  const run = { tool: { driver }, columnKind: 'unicodeCodePoints', results }
  const schema = 'https://json.schemastore.org/sarif-2.1.0.json'
  return `${JSON.stringify({ $schema: schema, version: '2.1.0', runs: [run] }, null, 2)}\n`
}

/** A relative URI reference; a commit message has no file. */
function uriOf(path: string): string {
  if (path === '') return '.git'
  const base = pathToFileURL('/').href
  return pathToFileURL(`/${path.replaceAll('\\', '/')}`).href.slice(base.length)
}
