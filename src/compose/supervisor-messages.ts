/** What the supervisor tells the control plane, by kind. */
import type { MessagePort } from 'node:worker_threads'
import type { ToControl } from '../supervisor/messages.ts'

type SupervisorHandlers = {
  readonly [K in ToControl['type']]: (message: Extract<ToControl, { type: K }>) => void
}

export function listenToSupervisor(supervisor: MessagePort | null, handlers: SupervisorHandlers): void {
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
