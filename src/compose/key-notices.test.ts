import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OversightEvent } from '../domain/oversight-event.ts'
import type { LogEntry } from '../supervisor/log.ts'
import { createKeyTeller } from './key-notices.ts'

const notice = {
  action: 'key.leak',
  subject: { kind: 'key', id: 'key_1', publicId: 'abc', organizationId: 'org_a', applicationId: 'app_a' },
  at: 5,
  details: { reporter: 'github', url: 'https://x.test/a' },
} as const

test('a leak is an event of high severity, a POST to the receiver of alerts and a line in the log', async () => {
  const events: OversightEvent[] = []
  const posts: { id: string; body: string }[] = []
  const lines: LogEntry[] = []
  const trail = { record: async (event: OversightEvent) => void events.push(event) }
  const tell = createKeyTeller({
    trail,
    webhook: { post: (message) => void posts.push(message) },
    log: (entry) => void lines.push(entry),
  })
  await tell(notice)
  const [event] = events
  assert.deepEqual(
    [event?.stream, event?.action, event?.severity, event?.organizationId, event?.resource?.id],
    ['security', 'key.leak', 'high', 'org_a', 'key_1'],
  )
  assert.deepEqual(JSON.parse(posts[0]?.body ?? ''), {
    type: 'key.leak',
    id: event?.id,
    at: 5,
    subject: notice.subject,
    details: notice.details,
  })
  assert.deepEqual(
    lines.map(({ code }) => code),
    ['key.leak'],
  )
})

test('an audit log that takes nothing keeps nobody from being told', async () => {
  const posts: string[] = []
  const lines: string[] = []
  const tell = createKeyTeller({
    trail: { record: () => Promise.reject(new Error('full')) },
    webhook: { post: ({ body }) => void posts.push(body) },
    log: ({ code }) => void lines.push(code),
  })
  await tell(notice)
  assert.deepEqual([posts.length, lines], [1, ['key.leak', 'audit.entry-lost']])
})
