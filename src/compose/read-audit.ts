/** The audit log as files, for who checks it: no gateway is needed, and nothing is written. */
import { existsSync } from 'node:fs'
import { readDurableFiles } from '../adapters/durable-files/open-durable-files.ts'
import { openFileSecretBox } from '../adapters/file-secret-box/open-file-secret-box.ts'
import { readSubjectKeys } from '../audit/index.ts'

export { readDurableFiles }

/** What opens personal fields, for who holds the root key; null: there is no such file. */
export async function readPersonal(keyDirectory: string, rootKeyFile: string) {
  if (!existsSync(rootKeyFile)) return null
  const secretBox = openFileSecretBox({ path: rootKeyFile })
  return readSubjectKeys({ files: readDurableFiles(keyDirectory), secretBox })
}
