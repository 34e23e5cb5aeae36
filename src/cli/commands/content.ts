/** `gatewright content`: what was asked and answered, where content logging is on. */
import type { Command } from 'commander'
import type { components } from '../../../clients/typescript/schema.gen.ts'
import { argument, defineCommand, defineGroup, runs } from '../define-command.ts'
import { printable } from '../printable.ts'
import { type CliIo, take } from '../session.ts'
import { formatTime } from '../table.ts'

type Content = components['schemas']['Content']
type ContentBody = components['schemas']['ContentBody']

function describeBody(title: string, body: ContentBody): string {
  const type = body.contentType === '' ? 'no content type' : body.contentType
  const cut = body.truncated ? ', cut' : ''
  const encoding = body.encoding === 'base64' ? ', base64' : ''
  return `${title} (${type}, ${body.bytes} bytes${cut}${encoding})\n${printable(body.content)}\n`
}

function describeContent(content: Content): string {
  const { requestId, time, operation, model, status, keyId } = content
  const head = `${requestId}  ${formatTime(time)}  ${operation}  ${model}  ${status}  key ${keyId}\n`
  return `${head}\n${describeBody('Request', content.request)}\n${describeBody('Response', content.response)}`
}

export function addContent(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'content', 'Read logged content of exchanges')
  const show = defineCommand(group, {
    name: 'show <request-id>',
    summary: 'Show request and response of one exchange; needs an admin token',
    examples: [
      [
        'gatewright content show req_heey297o2e8q000001',
        'Where contentLog.enabled is set, until its retention',
      ],
      ['gatewright content show req_heey297o2e8q000001 --json', 'As the API gives it'],
    ],
  })
  runs<object>(show, io, async ({ session, args }) => {
    const organization = await session.organization()
    const path = { organization, id: argument(args, 0) }
    session.show(
      await take(
        session.client.GET('/api/v1/organizations/{organization}/content/{id}', { params: { path } }),
      ),
      describeContent,
    )
  })
}
