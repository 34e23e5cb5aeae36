/** A log on real files for tests: tiles in `<root>/audit`, keys and guard in `<root>/audit-keys`. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDurableFiles } from '../../adapters/durable-files/open-durable-files.ts'
import { openFileSecretBox } from '../../adapters/file-secret-box/open-file-secret-box.ts'
import { openSigningKeys } from '../signing-keys.ts'
import { openTileLog, type TileLogOptions } from '../tile-log.ts'

export function newLogDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'gatewright-audit-'))
}

/** The parts of the log at `root`, made when it is new. */
export async function openTestParts(root: string) {
  mkdirSync(root, { recursive: true })
  const secretBox = openFileSecretBox({ path: join(root, 'root.key') })
  const files = await openDurableFiles(join(root, 'audit'))
  const keyFiles = await openDurableFiles(join(root, 'audit-keys'))
  const signer = await openSigningKeys({
    files: keyFiles,
    secretBox,
    newOrigin: () => 'example.org/audit/test',
  })
  return { secretBox, files, keyFiles, signer, keys: signer.keys }
}

export async function openTestLog(root: string, options: Partial<TileLogOptions> = {}) {
  const parts = await openTestParts(root)
  const { files, keyFiles: guard, signer } = parts
  const log = await openTileLog({ files, guard, signer, now: Date.now, paceMs: 0, ...options })
  return { ...parts, log }
}
