import { Type } from 'typebox'
import { defineOperation } from '../../operation.ts'
import { memberParams, openMember } from '../../resource.ts'
import { deployments } from '../../resources/deployments.ts'
import { closed, nullable } from '../../schemas.ts'

export const deploymentTest = defineOperation({
  tag: deployments.plural,
  summary: 'Try one deployment',
  description:
    'Makes one small call with its credential and says whether the provider answered. Costs no tokens.',
  params: memberParams(deployments),
  success: {
    status: 200,
    description: 'What came of it.',
    schema: closed({
      ok: Type.Boolean({ description: 'The provider answered and took the credential.' }),
      status: nullable(Type.Integer(), 'HTTP status of the provider, or null where none came.'),
      durationMs: Type.Number({ description: 'Milliseconds.', minimum: 0 }),
      detail: Type.String({ description: 'For people.' }),
    }),
  },
  faults: ['objectNotFound'],
  async run(ctx, { params }) {
    const { ok, status, durationMs, detail } = await ctx.deps.tryDeployment(
      await openMember(ctx, deployments, params),
    )
    return { ok, status, durationMs, detail }
  },
})
