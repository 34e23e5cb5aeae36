/** The TLS terms of every listener, of both planes. */
import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { TlsMaterial } from '../../ports/listener.ts'

/** RFC 9325 §4.2: forward secrecy and AEAD only, for the TLS 1.2 that is left. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

/** What both planes offer: TLS 1.2 and 1.3, hybrid post-quantum key exchange first. */
export function secureContextOptions(material: TlsMaterial): SecureContextOptions {
  return {
    cert: material.certificate,
    key: material.privateKey,
    minVersion: 'TLSv1.2',
    ecdhCurve: 'X25519MLKEM768:X25519:P-256',
    ciphers,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  }
}
