/**
 * How much of what a session sends carries nothing. HTTP/2 lets a client keep the server busy with frames of a few
 * bytes: DATA of one byte or of padding alone (CVE-2019-9518), WINDOW_UPDATE, PRIORITY, CONTINUATION. Whatever frame it is, the
 * bytes that arrived are more than the content and the fields that came of them; the difference is bounded here.
 *
 * Honest overhead is 9 bytes for each frame, and window updates, which grow with what is sent to the client. Bounds:
 * 32 KiB a second in the long run, 256 KiB at once; looked at twice a second, so a flood lasts that much longer.
 */
import type { Socket } from 'node:net'
import type { TimerWheel } from '../../kernel/timer-wheel.ts'
import { Deadline } from '../http1/deadline.ts'

const lookEveryMs = 500
const bytesPerSecond = 32 * 1024
const bytesAtOnce = 256 * 1024
/** Window updates for so many bytes sent to the client are worth one byte: 26 bytes for each 4 KiB, and more. */
const sentPerByte = 64

export class OverheadWatch {
  readonly #socket: Socket
  readonly #flooded: () => void
  readonly #deadline: Deadline
  #worth = 0
  #read = 0
  #sent = 0
  #level = 0

  constructor(socket: Socket, wheel: TimerWheel, flooded: () => void) {
    this.#socket = socket
    this.#flooded = flooded
    this.#deadline = new Deadline(wheel, lookEveryMs, () => this.#look())
    this.#deadline.start()
  }

  /** So many bytes carried something, or may have. */
  note(bytes: number): void {
    this.#worth += bytes
  }

  stop(): void {
    this.#deadline.clear()
  }

  #look(): void {
    const read = this.#socket.bytesRead
    const sent = this.#socket.bytesWritten
    const overhead = read - this.#read - this.#worth - (sent - this.#sent) / sentPerByte
    this.#read = read
    this.#sent = sent
    this.#worth = 0
    this.#level = Math.max(0, this.#level + overhead - (bytesPerSecond * lookEveryMs) / 1000)
    if (this.#level > bytesAtOnce) this.#flooded()
    else this.#deadline.restart()
  }
}
