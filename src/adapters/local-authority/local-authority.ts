/**
 * A certificate authority for one installation, so that HTTPS works from the first start. Its key never leaves the
 * data directory; its certificate is what clients are told to trust. The server certificate is issued anew when
 * fewer than 30 days are left, when the names change, or when the authority changes.
 *
 * ECDSA P-256 (widest support among clients), SHA-256. Authority: 10 years; server: 397 days (CA/B Forum BR 6.3.2).
 */
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import type { CertificatePair } from './issue.ts'

export interface LocalCertificate {
  /** PEM chain: server, then authority. */
  readonly certificate: string
  /** PEM. */
  readonly privateKey: string
  /** PEM of the authority, for clients to trust. */
  readonly authority: string
  readonly authorityFile: string
  /** Unix milliseconds. */
  readonly expiresAt: number
}

const dayMs = 86_400_000
const renewBeforeMs = 30 * dayMs
const serverDays = 397
const authorityDays = 3650

/** The certificate of this installation, made or renewed when needed. */
export async function ensureLocalCertificate(
  directory: string,
  hostnames: readonly string[],
  now: number,
): Promise<LocalCertificate> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const files = {
    authority: join(directory, 'ca.crt'),
    authorityKey: join(directory, 'ca.key'),
    server: join(directory, 'server.crt'),
    serverKey: join(directory, 'server.key'),
  }
  if (!isUsable(files, hostnames, now)) {
    // Loaded only when a certificate must be made: a plain start does not pay for it.
    const { issueServerCertificate } = await import('./issue.ts')
    const issued = await issueServerCertificate({
      authority: readPair(files.authority, files.authorityKey, now),
      hostnames,
      now,
      authorityDays,
      serverDays,
    })
    writePrivate(files.authorityKey, issued.authority.privateKey)
    writePrivate(files.authority, issued.authority.certificate)
    writePrivate(files.serverKey, issued.server.privateKey)
    writePrivate(files.server, issued.server.certificate)
  }
  const server = readFileSync(files.server, 'utf8')
  const authority = readFileSync(files.authority, 'utf8')
  return {
    certificate: `${server}${authority}`,
    privateKey: readFileSync(files.serverKey, 'utf8'),
    authority,
    authorityFile: files.authority,
    expiresAt: Date.parse(new X509Certificate(server).validTo),
  }
}

function readPair(certificateFile: string, keyFile: string, now: number): CertificatePair | null {
  if (!existsSync(certificateFile) || !existsSync(keyFile)) return null
  const certificate = readFileSync(certificateFile, 'utf8')
  if (Date.parse(new X509Certificate(certificate).validTo) < now + serverDays * dayMs) return null
  return { certificate, privateKey: readFileSync(keyFile, 'utf8') }
}

interface Files {
  readonly authority: string
  readonly server: string
  readonly serverKey: string
}

function isUsable(files: Files, hostnames: readonly string[], now: number): boolean {
  if (![files.authority, files.server, files.serverKey].every((file) => existsSync(file))) return false
  try {
    const certificate = new X509Certificate(readFileSync(files.server))
    const authority = new X509Certificate(readFileSync(files.authority))
    const covers = hostnames.every((name) =>
      isIP(name) === 0 ? certificate.checkHost(name) !== undefined : certificate.checkIP(name) !== undefined,
    )
    return (
      covers &&
      certificate.verify(authority.publicKey) &&
      Date.parse(certificate.validTo) > now + renewBeforeMs
    )
  } catch {
    return false
  }
}

/** Whole or not at all, and never readable by others, not even for a moment. */
function writePrivate(file: string, text: string): void {
  const temporary = `${file}.${process.pid}.new`
  writeFileSync(temporary, text, { mode: 0o600, flush: true })
  renameSync(temporary, file)
}
