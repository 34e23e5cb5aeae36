/** Stored policies → the snapshot's: read and checked, with the names that they know things by. */
import { PolicyReader } from '../access/index.ts'
import type { AccessPolicy } from '../domain/entities.ts'
import type { JsonValue } from '../domain/json.ts'
import type { OrganizationPolicySnapshot } from '../domain/snapshot.ts'
import { faults } from '../faults/catalogue.ts'
import { Fault } from '../kernel/fault.ts'
import type { ConfigurationRecords } from '../ports/store.ts'

const reader = new PolicyReader()

type Records = Pick<ConfigurationRecords, 'policies' | 'organizations' | 'applications' | 'products'>

/**
 * One entry for each organization that has an enabled policy.
 * @throws Fault when a stored policy does not hold under the schema any more
 */
export function policySnapshots(records: Records): OrganizationPolicySnapshot[] {
  const byOrganization = new Map<string, AccessPolicy[]>()
  for (const policy of records.policies) {
    if (!policy.enabled) continue
    const known = byOrganization.get(policy.organizationId)
    if (known === undefined) byOrganization.set(policy.organizationId, [policy])
    else known.push(policy)
  }
  const snapshots = [...byOrganization].map(([organizationId, policies]): OrganizationPolicySnapshot => {
    const isOwn = (record: { readonly organizationId: string }) => record.organizationId === organizationId
    return {
      organizationId,
      organization: records.organizations.find(({ id }) => id === organizationId)?.slug ?? '',
      policies: policies.map(readStored),
      applications: records.applications.filter(isOwn).map(({ id, slug, team }) => ({ id, slug, team })),
      products: records.products.filter(isOwn).map(({ id, slug }) => ({ id, slug })),
    }
  })
  reader.sweep()
  return snapshots
}

function readStored({ slug, cedar }: AccessPolicy): OrganizationPolicySnapshot['policies'][number] {
  const reading = reader.read({ name: slug, text: cedar })
  if (reading.ok) return { name: slug, json: reading.json as unknown as JsonValue }
  const reason = `policy ${slug}: ${reading.problem}`
  throw new Fault(faults.configInvalid, { public: { reason } })
}
