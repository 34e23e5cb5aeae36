/**
 * Who signed a report: over the bytes of the body as they came, before anything reads them.
 *
 *   GitHub   Github-Public-Key-Identifier, Github-Public-Key-Signature: base64 of the DER form of ECDSA P-256, SHA-256
 *   others   x-gatewright-reporter: <name>
 *            x-gatewright-signature: t=<Unix seconds>,v1=<hexadecimal HMAC-SHA-256 of "<t>.<body>">
 *                             or     t=<Unix seconds>,ed25519=<base64 signature of "<t>.<body>">
 *
 * Of others a report is good for `maxAgeSeconds` before and after its time. GitHub's reports have no time; a repeated
 * one says nothing new, and changes nothing (`take-report.ts`).
 */
import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto'
import type { LeakReporterConfig, LeakReportsConfig } from '../../config/index.ts'
import { webhookSignatureHeader } from '../../kernel/webhook-signature.ts'
import type { GithubKeys } from './github-keys.ts'

export const reporterHeader = 'x-gatewright-reporter'
export const githubKeyHeader = 'github-public-key-identifier'
export const githubSignatureHeader = 'github-public-key-signature'

const maxAgeSeconds = 300
const signatureForm = /^t=([0-9]{1,12}),(v1|ed25519)=([0-9A-Za-z+/=]{64,128})$/
const githubIdForm = /^[0-9A-Za-z_.:-]{1,128}$/
const base64Form = /^[0-9A-Za-z+/]{64,128}={0,2}$/

export interface SignedReport {
  readonly body: Buffer
  /** The value of a header; empty where it is not there once. */
  readonly header: (name: string) => string
}

/** True for a report that GitHub signed. */
export async function isFromGithub(
  { body, header }: SignedReport,
  config: NonNullable<LeakReportsConfig['github']>,
  keys: GithubKeys,
): Promise<boolean> {
  const id = header(githubKeyHeader)
  const signature = header(githubSignatureHeader)
  if (!githubIdForm.test(id) || !base64Form.test(signature)) return false
  const key = await keys.find(id, config)
  if (key === null) return false
  try {
    return verify('sha256', body, { key, dsaEncoding: 'der' }, Buffer.from(signature, 'base64'))
  } catch {
    return false
  }
}

export interface ReporterTerms {
  readonly reporters: readonly LeakReporterConfig[]
  readonly readReference: (reference: string) => string | null
  /** Unix milliseconds. */
  readonly now: number
}

/** The name of the reporter who signed, or null. */
export function findReporter(report: SignedReport, terms: ReporterTerms): string | null {
  const reporter = terms.reporters.find(({ name }) => name === report.header(reporterHeader))
  const [, time = '', scheme = '', given = ''] =
    signatureForm.exec(report.header(webhookSignatureHeader)) ?? []
  if (reporter === undefined || time === '') return null
  if (Math.abs(terms.now / 1000 - Number(time)) > maxAgeSeconds) return null
  const signed = Buffer.concat([Buffer.from(`${time}.`), report.body])
  const isGood =
    scheme === 'v1'
      ? isHmac(signed, given, secretOf(reporter, terms))
      : isEd25519(signed, given, reporter.publicKey)
  return isGood ? reporter.name : null
}

function secretOf({ secret }: LeakReporterConfig, { readReference }: ReporterTerms): string | null {
  return secret === undefined ? null : readReference(secret)
}

function isHmac(signed: Buffer, given: string, secret: string | null): boolean {
  if (secret === null || secret === '') return false
  const wanted = createHmac('sha256', secret).update(signed).digest()
  const presented = Buffer.from(given, 'hex')
  return wanted.length === presented.length && timingSafeEqual(wanted, presented)
}

function isEd25519(signed: Buffer, given: string, pem: string | undefined): boolean {
  if (pem === undefined) return false
  try {
    return verify(null, signed, createPublicKey(pem), Buffer.from(given, 'base64'))
  } catch {
    return false
  }
}
