/** Data URLs of media (RFC 2397), base64 only; other URLs stay URLs. Nothing is decoded and nothing is copied. */
import type { MediaSource } from '../domain/canonical.ts'

const marker = ';base64,'
/** The marker must come early: a media type is short. Bounds the search in a large URL. */
const maxMediaTypeLength = 200

/** `data:<type>;base64,<data>` → base64, everything else → url. The way back by `mediaUrl` is exact. */
export function mediaSource(url: string): MediaSource {
  if (!url.startsWith('data:')) return { kind: 'url', url }
  const comma = url.slice(0, maxMediaTypeLength).indexOf(',')
  const end = comma + 1 - marker.length
  if (end < 5 || !url.startsWith(marker, end)) return { kind: 'url', url }
  return { kind: 'base64', mediaType: url.slice(5, end), data: url.slice(comma + 1) }
}

/** The URL of a source; undefined for a file at a provider. */
export function mediaUrl(source: MediaSource): string | undefined {
  if (source.kind === 'base64') return `data:${source.mediaType}${marker}${source.data}`
  return source.kind === 'url' ? source.url : undefined
}
