import { Type } from 'typebox'
import { requireInstallationAdmin } from '../../access.ts'
import { admitCredential, storeCredential } from '../../deployment-credential.ts'
import { givenSecrets, requireDeployable } from '../../deployment-rules.ts'
import { createOperation } from '../../resource.ts'
import { deploymentFields, deployments, givenCredential } from '../../resources/deployments.ts'
import { closed, slug } from '../../schemas.ts'

export const deploymentCreate = createOperation(deployments, {
  description:
    'Secrets are sealed before they are stored. References and private networks take an unbound `admin` token.',
  body: closed({
    slug,
    provider: Type.String({ description: 'Id of a provider row.', minLength: 1, maxLength: 64 }),
    baseUrl: Type.Optional(deploymentFields.baseUrl),
    dialect: Type.Optional(deploymentFields.dialect),
    region: Type.Optional(deploymentFields.region),
    settings: Type.Optional(deploymentFields.settings),
    allowPrivateNetwork: Type.Optional(deploymentFields.allowPrivateNetwork),
    enabled: Type.Optional(deploymentFields.enabled),
    timeouts: Type.Optional(deploymentFields.timeouts),
    credential: Type.Optional(givenCredential),
  }),
  faults: ['organizationBound', 'configInvalid'],
  build(ctx, _organization, body) {
    if (body.allowPrivateNetwork === true) requireInstallationAdmin(ctx)
    admitCredential(ctx, body.credential ?? null)
    const own = {
      slug: body.slug,
      providerId: body.provider,
      baseUrl: body.baseUrl ?? null,
      dialect: body.dialect ?? null,
      region: body.region ?? null,
      settings: body.settings ?? {},
      credential: { kind: 'none' as const },
      allowPrivateNetwork: body.allowPrivateNetwork ?? false,
      enabled: body.enabled ?? true,
      timeouts: body.timeouts ?? {},
    }
    requireDeployable(ctx, own, givenSecrets(body.credential ?? null))
    return own
  },
  async store(ctx, record, body) {
    const credential = await storeCredential(ctx, record.organizationId, body.credential ?? null)
    return ctx.deps.store.transaction(async (tables) => {
      await credential.save(tables)
      return tables.deployments.create({ ...record, credential: credential.source })
    })
  },
})
