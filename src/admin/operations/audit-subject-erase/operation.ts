import { Type } from 'typebox'
import { subjectKinds } from '../../../domain/audit-subject.ts'
import { faults } from '../../../faults/catalogue.ts'
import { Fault } from '../../../kernel/fault.ts'
import { openOrganization, requireUnbound } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { closed, oneOf, organizationReference } from '../../schemas.ts'

export const auditSubjectErase = defineOperation({
  tag: 'audit',
  summary: 'Make what the audit log holds of a person unreadable',
  description:
    'Destroys the key under which the personal fields of this subject stand in the audit log of this node: network addresses, names of end users, names on admin tokens. The entries and all proofs stay valid. It cannot be undone. The entry about it names nobody.',
  body: closed({
    kind: oneOf(
      subjectKinds,
      '`end-user`: as callers name them, in one organization · `admin`: an admin token · `key`: an API key · `address`: a network address of which nothing else is known.',
    ),
    id: Type.String({
      description: 'Name of the end user, public id of the token or key, or the address.',
      maxLength: 256,
      minLength: 1,
    }),
    organization: Type.Optional(organizationReference),
  }),
  success: {
    status: 200,
    description: 'Whether there was anything.',
    schema: closed({
      erased: Type.Boolean({ description: 'False: there is no key of such a subject on this node.' }),
    }),
  },
  faults: ['organizationBound', 'objectNotFound', 'validation'],
  async run(ctx, { body }) {
    requireUnbound(ctx)
    const { kind, id, organization } = body
    if ((kind === 'end-user') !== (organization !== undefined)) {
      const reason = 'organization belongs to subjects of kind end-user, and to no others'
      throw new Fault(faults.validation, { public: { reason }, param: 'organization' })
    }
    const organizationId = organization === undefined ? '' : (await openOrganization(ctx, organization)).id
    return { erased: await ctx.deps.audit.erase({ kind, organizationId, id }) }
  },
})
