/** Fields that both OpenAI dialects read alike. */
import type { JsonObject, JsonValue } from '../../domain/json.ts'
import { readOptionalObject, readOptionalString } from '../reading.ts'

/** Fields that go to `native` beside the unknown ones. */
export type Leftover = Record<string, JsonValue | undefined>

/** `safety_identifier` succeeds `user`; both stay apart when both are given. */
export function readEndUser(body: JsonObject, extra: Leftover): string | undefined {
  const user = readOptionalString(body, 'user', '')
  const identifier = readOptionalString(body, 'safety_identifier', '')
  if (user !== undefined && identifier !== undefined) extra['user'] = user
  return user ?? identifier
}

export function readMetadata(
  body: JsonObject,
  extra: Leftover,
): Readonly<Record<string, string>> | undefined {
  const metadata = readOptionalObject(body, 'metadata', '')
  if (metadata === undefined) return undefined
  for (const key in metadata) {
    if (typeof metadata[key] !== 'string') {
      extra['metadata'] = metadata
      return undefined
    }
  }
  return metadata as Readonly<Record<string, string>>
}
