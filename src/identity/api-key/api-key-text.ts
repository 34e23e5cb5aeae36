/** API keys `gwr_<env>_<keyid>_<secret>_<checksum>` and admin tokens `gwa_<tokenid>_<secret>_<checksum>`. */
import type { KeyEnvironment } from '../../domain/entities.ts'
import { mintSecret, mintToken, readToken, type TokenPrefix, tokenPrefix } from './token-text.ts'

const prefixes: Readonly<Record<KeyEnvironment, TokenPrefix>> = {
  live: tokenPrefix('gwr_live_'),
  test: tokenPrefix('gwr_test_'),
}
const adminPrefix = tokenPrefix('gwa_')

export interface MintedApiKey {
  /** Shown once, never stored. */
  readonly text: string
  readonly keyId: string
}
export interface ParsedApiKey {
  readonly environment: KeyEnvironment
  readonly keyId: string
}

export function mintApiKey(environment: KeyEnvironment): MintedApiKey {
  const { text, publicId } = mintToken(prefixes[environment])
  return { text, keyId: publicId }
}

/** The text of the next secret version of an existing key. */
export function mintApiKeySecret(environment: KeyEnvironment, keyId: string): string {
  return mintSecret(prefixes[environment], keyId)
}

/** What a well-formed key names, or null for anything else. One pass, no throw, no look-up. */
export function parseApiKey(text: string): ParsedApiKey | null {
  const live = readToken(text, prefixes.live)
  if (live !== null) return { environment: 'live', keyId: live }
  const test = readToken(text, prefixes.test)
  return test === null ? null : { environment: 'test', keyId: test }
}

export interface MintedAdminToken {
  readonly text: string
  readonly tokenId: string
}

export function mintAdminToken(): MintedAdminToken {
  const { text, publicId } = mintToken(adminPrefix)
  return { text, tokenId: publicId }
}

export function parseAdminToken(text: string): { readonly tokenId: string } | null {
  const tokenId = readToken(text, adminPrefix)
  return tokenId === null ? null : { tokenId }
}
