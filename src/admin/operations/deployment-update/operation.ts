import { admitCredential, dropCredential, storeCredential } from '../../deployment-credential.ts'
import { givenSecrets, requireDeployable, requireSafeMove, storedSecrets } from '../../deployment-rules.ts'
import { updateOperation } from '../../resource.ts'
import { deploymentFields, deployments, givenCredential } from '../../resources/deployments.ts'

export const deploymentUpdate = updateOperation(deployments, {
  description:
    'Fields left out stay as they are. Where the address changes, the credential must be given again: a stored secret never follows to another host.',
  body: { ...deploymentFields, credential: givenCredential },
  faults: ['credentialNeeded', 'organizationBound', 'configInvalid'],
  async change(ctx, record, { fields: { credential: given, ...fields }, terms }) {
    const { organizationId, id } = record
    const next = { ...record, ...fields }
    requireSafeMove(ctx, { before: record, after: next, credentialGiven: given !== undefined })
    const secrets =
      given === undefined ? await storedSecrets(ctx, organizationId, record.credential) : givenSecrets(given)
    requireDeployable(ctx, next, secrets)
    const { deployments: table } = ctx.deps.store
    if (given === undefined) return table.update(organizationId, id, { patch: fields, ...terms })
    admitCredential(ctx, given)
    const credential = await storeCredential(ctx, organizationId, given)
    return ctx.deps.store.transaction(async (tables) => {
      await credential.save(tables)
      const patch = { ...fields, credential: credential.source }
      const changed = await tables.deployments.update(organizationId, id, { patch, ...terms })
      await dropCredential(tables, record)
      return changed
    })
  },
})
