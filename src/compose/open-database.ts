/**
 * The database by configuration: SQLite in the data directory, or PostgreSQL that several nodes share. Whatever it is,
 * the root key of this data directory must be the one that sealed the secrets in it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DataDirectory } from '../adapters/data-directory/data-directory.ts'
import { readNodeId } from '../adapters/data-directory/node-id.ts'
import { openFileSecretBox } from '../adapters/file-secret-box/open-file-secret-box.ts'
import type { PostgresOptions } from '../adapters/postgres/connection-settings.ts'
import { openSqliteStore } from '../adapters/sqlite/open-sqlite-store.ts'
import type { Config } from '../config/index.ts'
import { faults } from '../faults/catalogue.ts'
import { hasPeppers, openPepperBook, type PepperBook } from '../identity/index.ts'
import { Fault } from '../kernel/fault.ts'
import type { CentralCounters } from '../ports/central-counters.ts'
import type { CheckpointBoard } from '../ports/checkpoint-board.ts'
import type { LimitAlerts } from '../ports/limit-alerts.ts'
import type { SecretBox } from '../ports/secret-box.ts'
import type { Store } from '../ports/store.ts'
import type { UsageStore } from '../ports/usage-store.ts'
import type { Log } from '../supervisor/log.ts'
import { requireRootKey, StartRefusal } from './describe-refusal.ts'

export interface DatabaseParts {
  readonly config: Config['storage']
  /** `secrets.otherRootKeyFiles` of the configuration. */
  readonly otherRootKeyFiles: readonly string[]
  readonly directory: DataDirectory
  /** Directory that relative paths of the configuration start from. */
  readonly workingDirectory: string
  readonly readReference: (reference: string) => string | null
  readonly log: Log
}

export interface OpenedDatabase {
  readonly store: Store
  readonly usage: UsageStore
  readonly alerts: LimitAlerts
  /** Where nodes show each other their audit logs; with a database of its own a node is alone on it. */
  readonly checkpoints: CheckpointBoard
  readonly isShared: boolean
  readonly secretBox: SecretBox
  readonly peppers: PepperBook
  /** Under which the place in this node's usage log is kept. */
  readonly usageCursor: string
  /** How often to ask for changes of others that no message told of. */
  readonly pollMs: number
  openCounters(options: {
    readonly node: string
    readonly run: string
    readonly ttlMs: number
    readonly presenceMs: number
  }): CentralCounters
  close(): Promise<void>
}

/** With a lost message, a change of another node is seen within this; the bound is a second. */
const sharedPollMs = 500
const ownPollMs = 1000
export const sqliteUsageCursor = 'usage'

export function usageCursorOf(directory: DataDirectory): string {
  return `usage:${readNodeId(directory.path)}`
}

/** @throws StartRefusal when a file cannot be read */
export function postgresOptions({
  config,
  workingDirectory,
  readReference,
}: Pick<DatabaseParts, 'config' | 'workingDirectory' | 'readReference'>): PostgresOptions {
  const { mode, authorityFile, certificateFile, keyFile } = config.tls
  const url = readReference(config.url ?? '')
  if (url === null) throw new StartRefusal(`storage.url: there is nothing at ${config.url ?? ''}.`)
  const read = (file: string | undefined): string | undefined => {
    if (file === undefined) return undefined
    try {
      return readFileSync(resolve(workingDirectory, file), 'utf8')
    } catch {
      throw new StartRefusal(`The file ${file} of storage.tls cannot be read.`)
    }
  }
  const [authority, certificate, privateKey] = [read(authorityFile), read(certificateFile), read(keyFile)]
  return {
    url,
    tls: {
      mode,
      ...(authority === undefined ? {} : { authority }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(privateKey === undefined ? {} : { privateKey }),
    },
    poolSize: config.poolSize,
    connectTimeoutMs: config.connectTimeoutMs,
    statementTimeoutMs: config.statementTimeoutMs,
  }
}

/** @throws what a person must read who starts a node: see `describeRefusal` */
export function openDatabase(parts: DatabaseParts): Promise<OpenedDatabase> {
  return parts.config.kind === 'postgres' ? openShared(parts) : openOwn(parts)
}

/** @throws Fault when one of the files cannot be trusted */
function openBox(parts: DatabaseParts): SecretBox {
  const previousPaths = parts.otherRootKeyFiles.map((file) => resolve(parts.workingDirectory, file))
  return openFileSecretBox({ path: parts.directory.rootKeyFile, previousPaths })
}

async function openOwn(parts: DatabaseParts): Promise<OpenedDatabase> {
  const { directory } = parts
  requireRootKey(directory)
  const secretBox = openBox(parts)
  const storage = await openSqliteStore({ path: directory.databaseFile })
  const peppers = await openPepperBook(storage.store, secretBox)
  return {
    ...storage,
    secretBox,
    peppers,
    usageCursor: sqliteUsageCursor,
    pollMs: ownPollMs,
    isShared: false,
  }
}

async function openShared(parts: DatabaseParts): Promise<OpenedDatabase> {
  const { directory } = parts
  const storage = await openPostgres(parts)
  try {
    await refuseForgottenFile(storage.store, directory)
    const secretBox = await openSharedBox(storage.store, parts)
    const peppers = await openSharedPeppers(storage.store, secretBox, directory)
    return {
      ...storage,
      secretBox,
      peppers,
      usageCursor: usageCursorOf(directory),
      pollMs: sharedPollMs,
      isShared: true,
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

async function openPostgres(parts: DatabaseParts) {
  const options = postgresOptions(parts)
  const onConnection = (isThere: boolean): void =>
    isThere
      ? parts.log({ level: 'info', code: 'storage.found', text: 'The database is there again.' })
      : parts.log({
          level: 'warn',
          code: 'storage.lost',
          text: 'The database is lost: requests go on as they were configured, administration has to wait.',
        })
  // A node with its own database starts without the other's client.
  const { openPostgresStore } = await import('../adapters/postgres/open-postgres-store.ts')
  const { describeConnectFailure } = await import('../adapters/postgres/describe-connect-failure.ts')
  try {
    return await openPostgresStore({ ...options, onConnection })
  } catch (error) {
    // What the schema or the URL says is a fault of its own.
    if (error instanceof Fault && error.code !== faults.storageUnavailable.code) throw error
    throw new StartRefusal(describeConnectFailure(error, options), { cause: error })
  }
}

/** Objects in a file beside, and none in the database: nobody meant to begin anew. */
async function refuseForgottenFile(store: Store, { databaseFile }: DataDirectory): Promise<void> {
  if (!existsSync(databaseFile) || (await store.organizations.list({ limit: 1 })).items.length > 0) return
  const lines = [
    `The database is empty, and ${databaseFile} holds what was made before.`,
    'Bring it over with `gatewright storage migrate`, or move the file away to begin anew.',
  ]
  throw new StartRefusal(lines.join('\n'))
}

const copyRootKey = 'Copy root.key from the data directory of a node that runs (mode 0600), and start again.'

/** A root key is made with the first node; all others get a copy, or they could open none of its secrets. */
async function openSharedBox(store: Store, parts: DatabaseParts): Promise<SecretBox> {
  const { rootKeyFile } = parts.directory
  if (!existsSync(rootKeyFile) && (await hasPeppers(store)))
    throw new StartRefusal(
      `The root key file ${rootKeyFile} is missing. It sealed the secrets in the database.\n${copyRootKey}`,
    )
  return openBox(parts)
}

async function openSharedPeppers(
  store: Store,
  box: SecretBox,
  { rootKeyFile }: DataDirectory,
): Promise<PepperBook> {
  try {
    return await openPepperBook(store, box)
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== faults.secretUnreadable.code) throw error
    throw new StartRefusal(
      `The root key file ${rootKeyFile} is not the one that sealed the secrets in the database.\n${copyRootKey}`,
    )
  }
}
