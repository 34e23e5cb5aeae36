/** The state of the process as `status-get` shows it: the report of `context.ts` as a schema. */
import { Type } from 'typebox'
import { closed, named, nullable, oneOf, time } from '../schemas.ts'

const countOf = (description: string) => Type.Integer({ description, minimum: 0 })

export const statusView = named(
  'Status',
  {
    version: Type.String({ description: 'Version of Gatewright.' }),
    nodeVersion: Type.String({ description: 'Version of Node.js.' }),
    startedAt: time,
    listeners: Type.Array(
      closed({
        plane: oneOf(['data', 'control'], 'Data plane: model requests. Control plane: this API.'),
        url: Type.String({ description: 'Origin.' }),
      }),
    ),
    workers: closed({
      configured: countOf('Worker threads that should run.'),
      running: countOf('Worker threads that run.'),
      restarts: countOf('Workers replaced since the start.'),
    }),
    load: Type.Array(
      closed({
        worker: countOf('Number of the worker.'),
        underWay: countOf('Exchanges under way.'),
        loopDelayMs: Type.Number({ description: 'Mean delay of the event loop, milliseconds.', minimum: 0 }),
        memoryBytes: countOf('Resident memory of the process.'),
        shed: closed({
          critical: countOf('Priority critical.'),
          high: countOf('Priority high.'),
          normal: countOf('Priority normal.'),
          low: countOf('Priority low.'),
        }),
        waiting: countOf('Exchanges that wait for a limit.'),
        entered: countOf('Exchanges that have waited since the worker began.'),
        served: countOf('Of these, served.'),
        full: countOf('Exchanges refused because the queue was full.'),
        overdue: countOf('Exchanges refused after they had waited as long as their plan allows.'),
      }),
      {
        description: 'How loaded each worker is; `shed` counts exchanges turned away for load, by priority.',
      },
    ),
    snapshot: closed({
      version: countOf('Version of the configuration that the data plane works with.'),
      appliedAt: nullable(time, 'Since when, or null before the first.'),
      problem: nullable(Type.String(), 'Why the last configuration was refused, or null.'),
    }),
    deploymentCount: countOf('Deployments in service.'),
    routeCount: countOf('Model routes in service.'),
    sandboxEnabled: Type.Boolean({ description: 'The built-in sandbox model is served.' }),
    certificateExpiresAt: nullable(time, 'End of validity of the certificate in use.'),
    diskFreeBytes: nullable(Type.Integer({ minimum: 0 }), 'Free bytes where the data directory lies.'),
    documentationUrl: Type.String({ description: 'Prefix of documentation links in errors.' }),
  },
  'The state of one process.',
)
