/**
 * Schemas that several operations share. Every object is closed: an unknown field is refused. Every string and
 * list has a bound.
 */
import { type TProperties, type TSchema, Type } from 'typebox'

/** An object that refuses fields it does not name. */
export function closed<T extends TProperties>(properties: T, description?: string) {
  return Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  })
}

/** A closed object with a name of its own in the API's description, where it stands once. */
export function named<T extends TProperties>(title: string, properties: T, description: string) {
  return Type.Object(properties, { additionalProperties: false, title, description })
}

export function nullable<T extends TSchema>(schema: T, description: string) {
  return Type.Union([schema, Type.Null()], { description })
}

export function oneOf<V extends string>(values: readonly V[], description: string) {
  return Type.Enum<V[]>(values, { type: 'string', description })
}

export const slug = Type.String({
  description:
    'Name in addresses and files: lower-case letters, digits, `.`, `_`, `-`. Unique in its organization.',
  pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
})
export const displayName = Type.String({ description: 'Name for people.', minLength: 1, maxLength: 120 })
export const longText = Type.String({ description: 'Free text for people.', maxLength: 2000 })
export const time = Type.Integer({ description: 'Unix time in milliseconds.', minimum: 0 })
export const futureTime = nullable(
  Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 }),
  'Unix time in milliseconds from which it is refused; null: never.',
)

/** Reference to a record in a path or body: its id, or its unique name. */
export function reference(noun: string, name = 'slug') {
  return Type.String({
    description: `Id or ${name} of the ${noun}.`,
    minLength: 1,
    maxLength: 200,
    pattern: '^[^\\u0000-\\u0020\\u007f]+$',
  })
}

/** Id of a record of one noun. */
export function recordId(prefix: string) {
  return Type.String({ description: 'Id.', pattern: `^${prefix}_[0-9A-Za-z]{22}$` })
}

export function optionalReference(noun: string) {
  return Type.Optional(reference(noun))
}

export const organizationReference = reference('organization')

/** Model names and patterns with one trailing `*`. */
export const modelPattern = Type.String({
  description: 'Model name, or a pattern with one trailing `*`.',
  minLength: 1,
  maxLength: 200,
  pattern: '^[^\\u0000-\\u0020\\u007f*]*\\*?$',
})
export const modelPatterns = Type.Array(modelPattern, {
  description: 'Model names or patterns; `*` means all.',
  maxItems: 256,
})
export const operationIds = Type.Array(
  Type.String({ pattern: '^(\\*|[a-z]+(?:[.-][a-z]+)*)$', maxLength: 64 }),
  {
    description: 'Operation ids of the data plane (`chat.completions`, `embeddings` …); `*` means all.',
    maxItems: 64,
  },
)

export const managedBy = oneOf(
  ['api', 'file', 'environment', 'setup'],
  'Who manages the record. Records of `file` and `environment` are read-only here.',
)

/** Fields that every stored record shows. */
export const storedFields = {
  id: Type.String({ description: 'Id, `<prefix>_<22 base62>`.' }),
  createdAt: time,
  updatedAt: time,
  managedBy,
}

export const expectedUpdatedAt = Type.Optional(
  Type.Integer({
    description: 'Refuse the change unless the record still has this `updatedAt`.',
    minimum: 0,
  }),
)

/** Timeouts towards providers; each may be left out. */
export function timeouts(description: string) {
  const limit = (of: string) =>
    Type.Optional(Type.Integer({ description: `${of}, milliseconds.`, minimum: 10, maximum: 86_400_000 }))
  return closed(
    {
      connectMs: limit('Connect and TLS handshake'),
      firstByteMs: limit('From the end of the request to the head of the response'),
      idleMs: limit('Longest silence within a response'),
      totalMs: limit('Whole call'),
    },
    description,
  )
}

export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ description: 'Records per page.', minimum: 1, maximum: 500, default: 100 }),
  ),
  after: Type.Optional(
    Type.String({ description: '`next` of the page before.', minLength: 1, maxLength: 200 }),
  ),
}

export function pageOf<T extends TSchema>(item: T) {
  return closed({
    items: Type.Array(item, { description: 'Oldest first.' }),
    next: nullable(Type.String(), 'Cursor of the next page, or null at the end.'),
  })
}

export const errorBody = named(
  'Error',
  {
    error: closed({
      code: Type.String({ description: 'Stable code, see the list of errors.' }),
      message: Type.String({ description: 'What is wrong, for people.' }),
      param: nullable(Type.String(), 'Field at fault, where one is.'),
      request_id: Type.String({ description: 'Name this when reporting a problem.' }),
      documentation_url: Type.String({ description: 'What it means and what to do.' }),
    }),
  },
  'Every error has this shape.',
)
