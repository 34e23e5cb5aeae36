/** `gatewright sinks`: receivers of events, and what they rejected. */
import type { Command } from 'commander'
import { argument, defineCommand, defineGroup, runs } from '../define-command.ts'
import { type CliIo, take } from '../session.ts'

export function addSinks(program: Command, io: CliIo): void {
  const group = defineGroup(program, 'sinks', 'Receivers of events, and what they rejected')
  addStatus(group, io)
  addDeadLetters(group, io)
  addReplay(group, io)
}

function addStatus(group: Command, io: CliIo): void {
  const status = defineCommand(group, {
    name: 'status',
    summary: 'Say how events arrive at each sink',
    examples: [['gatewright sinks status', 'Circuits, delays and counts of this node']],
  })
  runs<object>(status, io, async ({ session }) => {
    const { sinks } = await take(session.client.GET('/api/v1/sinks'))
    session.table(
      sinks,
      [
        { head: 'name', text: (sink) => sink.name },
        { head: 'type', text: (sink) => sink.type },
        { head: 'circuit', text: (sink) => sink.circuit },
        { head: 'delivered', text: (sink) => String(sink.delivered) },
        { head: 'retried', text: (sink) => String(sink.retried) },
        { head: 'dead letters', text: (sink) => String(sink.deadLetters) },
        { head: 'lag', text: (sink) => `${Math.round(sink.lagMs / 1000)} s` },
        { head: 'problem', text: (sink) => sink.problem },
      ],
      'There are no sinks: name one in sinks of gatewright.yaml.',
    )
  })
}

function addDeadLetters(group: Command, io: CliIo): void {
  const letters = defineCommand(group, {
    name: 'dead-letters <sink>',
    summary: 'List events that a sink rejected for good',
    examples: [
      ['gatewright sinks dead-letters siem', 'The oldest, with the reason'],
      ['gatewright sinks dead-letters siem --json', 'The events themselves'],
    ],
  }).option('--limit <count>', 'most letters', '100')
  runs<{ readonly limit: string }>(letters, io, async ({ session, args, options }) => {
    const name = argument(args, 0)
    const query = { limit: Number(options.limit) }
    const found = await take(
      session.client.GET('/api/v1/sinks/{name}/dead-letters', { params: { path: { name }, query } }),
    )
    session.table(
      found.letters,
      [
        { head: 'event', text: ({ event }) => String(event['id']) },
        { head: 'action', text: ({ event }) => String(event['action']) },
        { head: 'rejected', text: ({ at }) => new Date(at).toISOString() },
        { head: 'reason', text: ({ reason }) => reason },
      ],
      'There are none.',
    )
  })
}

function addReplay(group: Command, io: CliIo): void {
  const replay = defineCommand(group, {
    name: 'replay <sink>',
    summary: 'Send dead letters of a sink again',
    examples: [
      ['gatewright sinks replay siem', 'After its receiver was mended; what it rejects again is kept again'],
    ],
  })
  runs<object>(replay, io, async ({ session, args }) => {
    const name = argument(args, 0)
    const total = { delivered: 0, rejected: 0 }
    for (;;) {
      const path = { name }
      const done = await take(session.client.POST('/api/v1/sinks/{name}/replay', { params: { path } }))
      total.delivered += done.delivered
      total.rejected += done.rejected
      // What was rejected again waits at the end: it is not tried for ever.
      if (done.remaining <= total.rejected || done.delivered + done.rejected === 0) break
    }
    session.show(total, ({ delivered, rejected }) => `${delivered} delivered, ${rejected} rejected again.\n`)
  })
}
