/**
 * What a new installation begins with: one organization, one application subscribed to one product that has
 * everything, and the sandbox model. Made once, when there is no organization at all; everything may be changed.
 */
import type { Store } from '../ports/store.ts'
import { defaultOrganization, readDesired } from './desired.ts'
import { reconcile } from './reconcile.ts'

export const sandboxModel = 'sandbox'
export const firstApplication = 'first-application'

/** The ids of the first organization and application; null where the store holds organizations already. */
export async function makeFirstObjects(
  store: Store,
  options: { readonly now: number; readonly sandboxProvider: string },
): Promise<{ readonly organizationId: string; readonly applicationId: string } | null> {
  const desired = readDesired(
    {
      organizations: [{ slug: defaultOrganization, name: 'Default organization' }],
      deployments: [{ slug: sandboxModel, provider: options.sandboxProvider }],
      models: [
        {
          name: sandboxModel,
          description: 'Built-in sandbox model: no provider needed.',
          targets: [{ deployment: sandboxModel }],
        },
      ],
      products: [{ slug: 'everything', name: 'Everything', description: 'Every operation on every model.' }],
      applications: [{ slug: firstApplication, name: 'First application', products: ['everything'] }],
    },
    () => {},
  )
  // One transaction: of several nodes that start on one empty database, one makes them.
  return store.transaction(async (tables) => {
    const { items } = await tables.organizations.list({ limit: 1 })
    if (items.length > 0) return null
    await reconcile(tables, desired, { managedBy: 'setup', now: options.now })
    const organization = await tables.organizations.find(defaultOrganization)
    const application =
      organization === null ? null : await tables.applications.find(organization.id, firstApplication)
    if (organization === null || application === null)
      throw new TypeError('the first objects were not stored')
    return { organizationId: organization.id, applicationId: application.id }
  })
}
