/** What the threads say to each other. Plain data: everything here crosses threads by structured clone. */
import type { MessagePort } from 'node:worker_threads'
import type { Config } from '../config/index.ts'
import type { SnapshotMessage } from '../domain/snapshot.ts'
import type { TlsMaterial } from '../ports/listener.ts'
import type { LogEntry } from './log.ts'

/** Where the data plane listens. */
export interface DataListenerOptions {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** Networks from which connections begin with a PROXY header; empty: none does. */
  readonly proxyProtocolFrom: readonly string[]
}

/** Given to each thread when it starts. */
export interface ControlThreadData {
  readonly plane: 'control'
  /** The configuration in force: of the start, or of the last reload. */
  readonly config: Config
  /** Absolute path of `gatewright.yaml`, or null. */
  readonly configFile: string | null
  /** `--data-dir`, which goes before the file; null: not given. */
  readonly dataDir: string | null
  /** Directory that relative paths start from. */
  readonly directory: string
  readonly startedAt: number
  /** What all threads know of the targets of model routes. */
  readonly healthBoard: SharedArrayBuffer
  /** Memory in which all threads count. */
  readonly counters: SharedArrayBuffer
  /** Memory in which the workers count what is published. */
  readonly metrics: SharedArrayBuffer
  /** Names this run of the process: the same for every control plane that it starts. */
  readonly run: string
}
export interface DataThreadData {
  readonly plane: 'gateway'
  readonly healthBoard: SharedArrayBuffer
  readonly index: number
  readonly listeners: readonly DataListenerOptions[]
  readonly reusePort: boolean
  /** Most bytes of usage records held while they are not on disk. */
  readonly usageHeldBytes: number
  /** Custom provider rows from configuration. */
  readonly providerRows: readonly unknown[]
  /** PEM of certificates trusted besides the public roots, for upstream calls. */
  readonly extraCertificates: readonly string[]
  readonly counters: SharedArrayBuffer
  /** Where the workers count their connections. */
  readonly connections: SharedArrayBuffer
  /** Proofs of possession that were used on this node. */
  readonly proofs: SharedArrayBuffer
  readonly metrics: SharedArrayBuffer
  /** Rates and concurrency are counted outside this node, too. */
  readonly sharesRates: boolean
}

/** Shown once on the terminal after the first start. */
export interface Welcome {
  /** A first API key, only when one was just made. */
  readonly apiKey: string | null
  /** Path of a set-up link, only while there is no administrator. */
  readonly setupPath: string | null
  readonly authorityFile: string | null
  /** Slugs of the deployments that the environment gave. */
  readonly environmentDeployments: readonly string[]
  readonly sandbox: boolean
  readonly controlUrls: readonly string[]
  readonly warnings: readonly string[]
}

export interface WorkerCounts {
  readonly configured: number
  readonly running: number
  readonly restarts: number
}

/** Control plane → supervisor. */
export type FromControl =
  | { readonly type: 'snapshot'; readonly message: SnapshotMessage }
  | { readonly type: 'tls'; readonly material: TlsMaterial }
  | { readonly type: 'ready'; readonly welcome: Welcome }
  /** A reload brought this into force; a control plane that is started later begins with it. */
  | { readonly type: 'configuration'; readonly config: Config }
  /** The start failed for a reason that the operator can mend. */
  | { readonly type: 'refused'; readonly text: string }
  | { readonly type: 'log'; readonly entry: LogEntry }

/** Supervisor → control plane. */
export type ToControl =
  | { readonly type: 'worker'; readonly index: number; readonly port: MessagePort }
  | { readonly type: 'workers'; readonly counts: WorkerCounts; readonly urls: readonly string[] }
  | { readonly type: 'reload' }
  | { readonly type: 'close' }

/** Supervisor → data worker. */
export type ToWorker =
  | { readonly type: 'snapshot'; readonly message: SnapshotMessage }
  | { readonly type: 'tls'; readonly material: TlsMaterial }
  | { readonly type: 'control'; readonly port: MessagePort }
  | { readonly type: 'drain'; readonly timeoutMs: number }

/** Data worker → supervisor. */
export type FromWorker =
  | { readonly type: 'listening'; readonly urls: readonly string[] }
  | { readonly type: 'refused'; readonly text: string }
  | { readonly type: 'log'; readonly entry: LogEntry }
