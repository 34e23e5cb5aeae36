import { Type } from 'typebox'
import type { ContentBody } from '../../../domain/content.ts'
import { notFound, openOrganization } from '../../access.ts'
import { defineOperation } from '../../operation.ts'
import { closed, named, oneOf, organizationReference, reference, time } from '../../schemas.ts'

const text = (description: string) => Type.String({ description })

const bodyView = named(
  'ContentBody',
  {
    contentType: text('As declared; empty where nothing was.'),
    bytes: Type.Integer({ description: 'Size of the whole body.', minimum: 0 }),
    truncated: Type.Boolean({ description: 'Not all of it was kept.' }),
    encoding: oneOf(['utf8', 'base64'], 'How `content` is written.'),
    content: text('What was kept.'),
  },
  'One body of an exchange.',
)

const contentView = named(
  'Content',
  {
    requestId: text('Request id.'),
    time,
    applicationId: text('Application.'),
    keyId: text('Public id of the API key.'),
    operation: text('Operation.'),
    model: text('Model that was asked for.'),
    status: Type.Integer({ description: 'HTTP status that was answered; 0: none.' }),
    request: bodyView,
    response: bodyView,
  },
  'Content of one exchange.',
)

/** UTF-8 where the bytes are that, so that nothing is changed on the way. */
function showBody({ contentType, bytes, kept }: ContentBody) {
  const buffer = Buffer.from(kept)
  const decoded = buffer.toString('utf8')
  const isText = Buffer.from(decoded).equals(buffer)
  const encoding: 'utf8' | 'base64' = isText ? 'utf8' : 'base64'
  const content = isText ? decoded : buffer.toString('base64')
  return { contentType, bytes, truncated: buffer.length < bytes, encoding, content }
}

export const contentGet = defineOperation({
  tag: 'content',
  summary: 'Read the content of one exchange',
  description:
    'Only where content logging is on (contentLog.enabled), and as long as its retention lasts. Each reading is noted in the audit log and in the process log.',
  params: closed({ organization: organizationReference, id: reference('exchange', 'request id') }),
  success: { status: 200, description: 'The content.', schema: contentView },
  faults: ['objectNotFound'],
  async run(ctx, { params }) {
    const organization = await openOrganization(ctx, params.organization)
    const found = await ctx.deps.contentLog?.read(organization.id, params.id)
    if (found === undefined || found === null) throw notFound('content', params.id)
    ctx.deps.log.warn(
      { requestId: ctx.requestId, code: 'content.read' },
      `the admin token ${ctx.caller.tokenId} read the content of ${found.id}`,
    )
    const { id, organizationId: _, request, response, ...rest } = found
    return { requestId: id, ...rest, request: showBody(request), response: showBody(response) }
  },
})
