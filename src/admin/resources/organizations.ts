/** Organizations: tenants. Not a tenant-owned resource itself, so its operations stand on their own. */
import { keyPolicySchema } from '../../config/index.ts'
import { closed, displayName, named, organizationReference, slug, storedFields } from '../schemas.ts'
import { showFields } from '../show-fields.ts'

export const organizationView = named(
  'Organization',
  { ...storedFields, slug, name: displayName, keyPolicy: keyPolicySchema },
  'A tenant: the isolation boundary for keys, data and limits.',
)

export const showOrganization = showFields(organizationView)

export const organizationParams = closed({ organization: organizationReference })
