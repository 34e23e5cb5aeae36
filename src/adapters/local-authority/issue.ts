/** Making certificates with @peculiar/x509 on WebCrypto. */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto)

type KeyPair = webcrypto.CryptoKeyPair
type Key = webcrypto.CryptoKey

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dayMs = 86_400_000
/** Clocks differ: certificates are valid from one hour before. */
const backdateMs = 3_600_000

export interface CertificatePair {
  /** PEM. */
  readonly certificate: string
  /** PEM, PKCS #8. */
  readonly privateKey: string
}

export interface IssueOptions {
  /** The authority to issue with; null: make one. */
  readonly authority: CertificatePair | null
  readonly hostnames: readonly string[]
  /** Unix milliseconds. */
  readonly now: number
  readonly authorityDays: number
  readonly serverDays: number
}

export interface Issued {
  readonly authority: CertificatePair
  readonly server: CertificatePair
}

/** A server certificate for `hostnames`, and the authority that issued it. */
export async function issueServerCertificate(options: IssueOptions): Promise<Issued> {
  const authority = options.authority ?? (await makeAuthority(options))
  const issuer = new x509.X509Certificate(authority.certificate)
  const signingKey = await importKey(authority.privateKey)
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${options.hostnames[0] ?? 'localhost'}`,
    issuer: issuer.subject,
    notBefore: new Date(options.now - backdateMs),
    notAfter: new Date(options.now + options.serverDays * dayMs),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        options.hostnames.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  })
  return {
    authority,
    server: { certificate: `${certificate.toString('pem')}\n`, privateKey: await exportKey(keys.privateKey) },
  }
}

async function makeAuthority(options: IssueOptions): Promise<CertificatePair> {
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=Gatewright local authority',
    notBefore: new Date(options.now - backdateMs),
    notAfter: new Date(options.now + options.authorityDays * dayMs),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, privateKey: await exportKey(keys.privateKey) }
}

function makeKeys(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

/** Positive, 127 random bits (RFC 5280 §4.1.2.2). */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16))
  bytes[0] = (bytes[0] ?? 0) & 0x7f
  return Buffer.from(bytes).toString('hex')
}

async function exportKey(key: Key): Promise<string> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key)
  const base64 = Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN PRIVATE KEY-----\n${base64.trimEnd()}\n-----END PRIVATE KEY-----\n`
}

function importKey(pem: string): Promise<Key> {
  const der = Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64')
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign'])
}
