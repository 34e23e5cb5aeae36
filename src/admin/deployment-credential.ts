/**
 * Credentials of deployments and token issuers on their way in: sealed before they are stored, bound to their record's id, gone with
 * it. No function here returns a secret.
 */
import type { CredentialSource, Deployment } from '../domain/entities.ts'
import { newId } from '../kernel/ids.ts'
import type { StoreTables } from '../ports/store.ts'
import { requireInstallationAdmin } from './access.ts'
import type { AdminContext } from './context.ts'
import type { GivenCredential } from './resources/deployments.ts'

/**
 * References make the server read its own environment and files, so only an administrator of the installation may
 * give them: otherwise a deployment with a chosen address would carry any secret of the server away.
 */
export function admitCredential(ctx: AdminContext, given: GivenCredential): void {
  if (given !== null && 'references' in given) requireInstallationAdmin(ctx)
}

/** A credential ready to be stored. */
export interface PreparedCredential {
  readonly source: CredentialSource
  /** Write the sealed record, if there is one, in the transaction of the deployment. */
  save(tables: StoreTables): Promise<void>
}

const nothing = async (): Promise<void> => {}

/** Seal given secrets (plaintext: JSON object of the fields; context: `credential:<id>`). */
export async function storeCredential(
  ctx: AdminContext,
  organizationId: string,
  given: GivenCredential,
): Promise<PreparedCredential> {
  if (given === null) return { source: { kind: 'none' }, save: nothing }
  if ('references' in given)
    return { source: { kind: 'references', fields: given.references }, save: nothing }
  const id = newId('cred')
  const sealed = await ctx.deps.secretBox.seal(JSON.stringify(given.secrets), `credential:${id}`)
  const record = { id, organizationId, sealed, createdAt: ctx.deps.clock.now() }
  return {
    source: { kind: 'sealed', credentialId: id },
    async save(tables) {
      await tables.credentials.create(record)
    },
  }
}

/** Remove the sealed credential that a record had before. */
export async function dropCredential(
  tables: StoreTables,
  before: Pick<Deployment, 'credential' | 'organizationId'>,
): Promise<void> {
  if (before.credential.kind !== 'sealed') return
  await tables.credentials.remove(before.organizationId, before.credential.credentialId)
}
