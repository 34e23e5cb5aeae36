/** Names of records, patterns included, as the ids that the data plane compares. */

interface Slugged {
  readonly id: string
  readonly organizationId: string
  readonly slug: string
}

/** Ids of the records whose slug or id the names mean; none: the limit applies to nothing. Null stays any. */
export function idsOf(
  names: readonly string[] | null,
  organizationId: string,
  records: readonly Slugged[],
): readonly string[] | null {
  if (names === null) return null
  const exact = new Set(names)
  const prefixes = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))
  const means = ({ id, slug }: Slugged): boolean =>
    exact.has(slug) || exact.has(id) || prefixes.some((prefix) => slug.startsWith(prefix))
  return records
    .filter((record) => record.organizationId === organizationId && means(record))
    .map((record) => record.id)
}
