/** Token issuers as workers know them: those that are enabled, oldest first, with the applications they may name. */
import type { TokenIssuerSnapshot } from '../domain/token-issuer.ts'
import type { ConfigurationRecords } from '../ports/store.ts'

export function tokenIssuerSnapshots({
  tokenIssuers,
  applications,
}: ConfigurationRecords): TokenIssuerSnapshot[] {
  return tokenIssuers
    .filter(({ enabled }) => enabled)
    .sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    .map(({ id, organizationId, name, issuer, terms }) => ({
      id,
      organizationId,
      name,
      issuer,
      terms,
      applications: Object.fromEntries(
        applications
          .filter((application) => application.organizationId === organizationId)
          .filter(({ slug }) => mayName(terms.application, slug))
          .map((application) => [application.slug, application.id]),
      ),
    }))
}

type Mapping = TokenIssuerSnapshot['terms']['application']

function mayName({ slug: only, claim, values }: Mapping, slug: string): boolean {
  if (claim === null) return slug === only
  const named = Object.values(values)
  return named.length === 0 || named.includes(slug)
}
