/** Server-sent events (WHATWG HTML §9.2.6) of our own control plane: UTF-8, lines ended by LF. */

export interface ServerSentEvent {
  readonly type: string
  /** Id of this event; empty: it has none. */
  readonly id: string
  readonly data: string
}

/** An event of ours is a few kilobytes; who sends more is not ours. */
const maxBlockLength = 262_144

function parseBlock(block: string): ServerSentEvent | null {
  const event = { type: 'message', id: '', data: '' }
  const data: string[] = []
  for (const line of block.split('\n')) {
    const at = line.indexOf(': ')
    const [name, value] = [line.slice(0, at), line.slice(at + 2)]
    if (name === 'event') event.type = value
    else if (name === 'id') event.id = value
    else if (name === 'data') data.push(value)
  }
  return data.length === 0 ? null : { ...event, data: data.join('\n') }
}

export async function* readServerSentEvents(body: AsyncIterable<Uint8Array>): AsyncIterable<ServerSentEvent> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    if (text.length > maxBlockLength) throw new RangeError('an event without end')
    for (const block of blocks) {
      const event = parseBlock(block)
      if (event !== null) yield event
    }
  }
}
