/** What every EventLog adapter guarantees. `open` opens the same empty log each time it is called in a test. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault } from '../kernel/fault.ts'
import { type EventCursor, type EventLog, maxEventBytes } from './event-log.ts'

export interface EventLogFixture {
  open(): Promise<EventLog>
  remove(): Promise<void>
}

export function appendDurably(log: EventLog, text: string | Uint8Array): Promise<Fault | null> {
  const payload = typeof text === 'string' ? Buffer.from(text) : text
  return new Promise((resolve) => log.append(payload, resolve))
}

export async function readTexts(log: EventLog, from: EventCursor | null = null): Promise<readonly string[]> {
  const texts: string[] = []
  for await (const frame of log.read(from)) texts.push(frame.payload.toString())
  return texts
}

export function testEventLogContract(create: () => Promise<EventLogFixture>): void {
  const check = (name: string, body: (fixture: EventLogFixture) => Promise<void>): void => {
    test(name, async () => {
      const fixture = await create()
      try {
        await body(fixture)
      } finally {
        await fixture.remove()
      }
    })
  }

  check('what is durable is read in the order of appending, also after opening again', async (fixture) => {
    const log = await fixture.open()
    const texts = Array.from({ length: 100 }, (_, index) => `event ${index}`)
    assert.deepEqual(
      (await Promise.all(texts.map((text) => appendDurably(log, text)))).filter((fault) => fault !== null),
      [],
    )
    assert.deepEqual(await readTexts(log), texts)
    await log.close()
    const again = await fixture.open()
    assert.deepEqual(await readTexts(again), texts)
    await appendDurably(again, 'more')
    assert.deepEqual(await readTexts(again), [...texts, 'more'])
    await again.close()
  })

  check('a cursor goes on exactly after its frame', async (fixture) => {
    const log = await fixture.open()
    const cursors: EventCursor[] = []
    for (const text of ['a', '', 'c', 'd']) await appendDurably(log, text)
    for await (const frame of log.read(null)) cursors.push(frame.cursor)
    assert.deepEqual(await readTexts(log, cursors[1] ?? null), ['c', 'd'])
    assert.deepEqual(await readTexts(log, cursors[3] ?? null), [])
    assert.equal(cursors[3], log.end())
    const between: string[] = []
    for await (const frame of log.read(cursors[0] ?? null, cursors[2])) between.push(frame.payload.toString())
    assert.deepEqual(between, ['', 'c'])
    await appendDurably(log, 'e')
    assert.deepEqual(await readTexts(log, cursors[3] ?? null), ['e'])
    await log.close()
  })

  check('a payload cannot be read before it is durable', async (fixture) => {
    const log = await fixture.open()
    const durable = appendDurably(log, 'late')
    assert.deepEqual(await readTexts(log), [])
    await durable
    assert.deepEqual(await readTexts(log), ['late'])
    await log.close()
  })

  check('any bytes come back, up to the bound and not beyond', async (fixture) => {
    const log = await fixture.open()
    const bytes = new Uint8Array(3_000_000).map((_, index) => (index * 31) & 0xff)
    await appendDurably(log, bytes)
    for await (const frame of log.read(null)) assert.deepEqual(new Uint8Array(frame.payload), bytes)
    const fault = await appendDurably(log, new Uint8Array(maxEventBytes + 1))
    assert.equal(fault?.code, 'storage.unavailable')
    await log.close()
  })

  check('a listener hears when the end has moved', async (fixture) => {
    const log = await fixture.open()
    let heard = 0
    const stop = log.subscribe(() => {
      heard += 1
    })
    await appendDurably(log, 'a')
    stop()
    await appendDurably(log, 'b')
    assert.equal(heard, 1)
    await log.close()
  })

  check('closing keeps what was appended before, and refuses what comes after', async (fixture) => {
    const log = await fixture.open()
    const last = appendDurably(log, 'last')
    await log.close()
    assert.equal(await last, null)
    assert.equal((await appendDurably(log, 'after'))?.code, 'storage.unavailable')
    const again = await fixture.open()
    assert.deepEqual(await readTexts(again), ['last'])
    await again.close()
  })

  check('places have an order, and a size from each to the end', async (fixture) => {
    const log = await fixture.open()
    const start = log.end()
    await appendDurably(log, 'a'.repeat(1000))
    const middle = log.end()
    await appendDurably(log, 'b'.repeat(500))
    assert.ok(log.compare(start, middle) < 0)
    assert.ok(log.compare(log.end(), middle) > 0)
    assert.equal(log.compare(middle, middle), 0)
    const rest = await log.size(middle)
    assert.ok(rest >= 500 && rest < 1000, `${rest} bytes`)
    assert.ok((await log.size(null)) >= 1500)
    assert.equal(await log.size(log.end()), 0)
    await log.close()
  })

  check('junk for a cursor is refused', async (fixture) => {
    const log = await fixture.open()
    for (const cursor of ['', 'x', '1', '1.2.3', '-1.0', '1.1e9', '99999999999999999999.1']) {
      await assert.rejects(readTexts(log, cursor))
    }
    await log.close()
  })
}
