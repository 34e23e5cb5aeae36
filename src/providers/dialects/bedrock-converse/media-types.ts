/** Formats of the Converse API ↔ media types. */

type MediaKind = 'image' | 'document' | 'video' | 'audio'

const formats: Readonly<Record<MediaKind, readonly (readonly [format: string, mediaType: string])[]>> = {
  image: [
    ['png', 'image/png'],
    ['jpeg', 'image/jpeg'],
    ['gif', 'image/gif'],
    ['webp', 'image/webp'],
  ],
  document: [
    ['pdf', 'application/pdf'],
    ['csv', 'text/csv'],
    ['doc', 'application/msword'],
    ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['xls', 'application/vnd.ms-excel'],
    ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    ['html', 'text/html'],
    ['txt', 'text/plain'],
    ['md', 'text/markdown'],
  ],
  video: [
    ['mkv', 'video/x-matroska'],
    ['mov', 'video/quicktime'],
    ['mp4', 'video/mp4'],
    ['webm', 'video/webm'],
    ['flv', 'video/x-flv'],
    ['mpeg', 'video/mpeg'],
    ['wmv', 'video/x-ms-wmv'],
    ['three_gp', 'video/3gpp'],
  ],
  audio: [
    ['mp3', 'audio/mpeg'],
    ['wav', 'audio/wav'],
    ['opus', 'audio/opus'],
    ['aac', 'audio/aac'],
    ['flac', 'audio/flac'],
    ['mp4', 'audio/mp4'],
    ['ogg', 'audio/ogg'],
    ['webm', 'audio/webm'],
  ],
}

/** Other names of the same media types. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['image/jpg', 'image/jpeg'],
  ['audio/mp3', 'audio/mpeg'],
  ['audio/x-wav', 'audio/wav'],
])

function byFormat(kind: MediaKind): ReadonlyMap<string, string> {
  return new Map(formats[kind])
}
function byMediaType(kind: MediaKind): ReadonlyMap<string, string> {
  return new Map(formats[kind].map(([format, mediaType]) => [mediaType, format]))
}
const typeTables = {
  image: byFormat('image'),
  document: byFormat('document'),
  video: byFormat('video'),
  audio: byFormat('audio'),
}
const formatTables = {
  image: byMediaType('image'),
  document: byMediaType('document'),
  video: byMediaType('video'),
  audio: byMediaType('audio'),
}

export function mediaTypeOf(kind: MediaKind, format: string): string | undefined {
  return typeTables[kind].get(format)
}

/** Parameters of the media type (`; charset=utf-8`) do not count. */
export function formatOf(kind: MediaKind, mediaType: string): string | undefined {
  const [bare = ''] = mediaType.toLowerCase().split(';', 1)
  const name = bare.trim()
  return formatTables[kind].get(aliases.get(name) ?? name)
}
