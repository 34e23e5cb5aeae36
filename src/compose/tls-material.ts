/**
 * The certificate of the HTTPS listeners: from the operator's files, watched, or from the local authority, renewed.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { ensureLocalCertificate } from '../adapters/local-authority/local-authority.ts'
import type { Config } from '../config/index.ts'
import type { TlsMaterial } from '../ports/listener.ts'

export interface InstalledTls extends TlsMaterial {
  /** Unix milliseconds. */
  readonly expiresAt: number
  /** File with the authority that clients must trust; null when the operator brought a certificate. */
  readonly authorityFile: string | null
}

export interface TlsSource {
  /** @throws when there is no usable certificate */
  load(): Promise<InstalledTls>
  /** Calls `changed` with a new certificate; a broken one is reported and the old one stays. Returns the way to stop. */
  watch(changed: (tls: InstalledTls) => void, report: (text: string) => void): () => void
}

const pollMs = 2000
const renewalCheckMs = 3_600_000

export function createTlsSource(
  config: Config['tls'],
  places: { readonly tlsDirectory: string; readonly directory: string },
): TlsSource {
  const { certificateFile, keyFile, hostnames } = config
  if (certificateFile === undefined || keyFile === undefined) {
    const load = async (): Promise<InstalledTls> =>
      ensureLocalCertificate(places.tlsDirectory, hostnames, Date.now())
    return { load, watch: (changed, report) => poll(renewalCheckMs, load, { changed, report }) }
  }
  const files = [resolve(places.directory, certificateFile), resolve(places.directory, keyFile)] as const
  const load = async (): Promise<InstalledTls> => readFiles(files[0], files[1])
  return {
    load,
    watch: (changed, report) => poll(pollMs, load, { changed, report, stamp: () => stampOf(files) }),
  }
}

function readFiles(certificateFile: string, keyFile: string): InstalledTls {
  const certificate = readFileSync(certificateFile, 'utf8')
  const privateKey = readFileSync(keyFile, 'utf8')
  // Throws when the two do not belong together; nobody is offered half a certificate.
  createSecureContext({ cert: certificate, key: privateKey })
  return {
    certificate,
    privateKey,
    authorityFile: null,
    expiresAt: Date.parse(new X509Certificate(certificate).validTo),
  }
}

function stampOf(files: readonly string[]): string {
  try {
    return files.map((file) => statSync(file).mtimeMs).join('/')
  } catch {
    return ''
  }
}

interface PollTarget {
  readonly changed: (tls: InstalledTls) => void
  readonly report: (text: string) => void
  readonly stamp?: () => string
}

/** Polling, because file events are lost on network and overlay file systems. */
function poll(intervalMs: number, load: () => Promise<InstalledTls>, target: PollTarget): () => void {
  let stamp = target.stamp?.() ?? ''
  let certificate: string | null = null
  const timer = setInterval(() => {
    const now = target.stamp?.() ?? ''
    if (target.stamp !== undefined && now === stamp) return
    stamp = now
    load().then(
      (tls) => {
        if (tls.certificate === certificate) return
        certificate = tls.certificate
        target.changed(tls)
      },
      () => target.report('The new certificate cannot be used; the old one stays.'),
    )
  }, intervalMs)
  timer.unref()
  return () => clearInterval(timer)
}
