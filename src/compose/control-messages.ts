/** Messages of the supervisor to the control plane, each to its handler. */
import type { MessagePort } from 'node:worker_threads'
import type { ToControl } from '../supervisor/messages.ts'

type Handlers = { readonly [K in ToControl['type']]: (message: Extract<ToControl, { type: K }>) => void }

export function listenTo(supervisor: MessagePort | null, handlers: Handlers): void {
  supervisor?.on('message', (message: ToControl) => {
    switch (message.type) {
      case 'worker':
        return handlers.worker(message)
      case 'workers':
        return handlers.workers(message)
      case 'reload':
        return handlers.reload(message)
      case 'close':
        return handlers.close(message)
    }
  })
}
