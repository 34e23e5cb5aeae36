/**
 * The DurableFiles port over a directory.
 *
 *   write ─▶ draft beside it ─▶ fsync ─▶ rename ─▶ fsync of every directory that changed, up to the root
 *
 * Drafts end in `.new`; one that a crash left behind is overwritten or stays unseen. Files are 0600, directories 0700.
 */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DurableFiles, FileContent } from '../../ports/durable-files.ts'

const pathPattern = /^[a-z0-9_-][a-z0-9._-]*(?:\/[a-z0-9_-][a-z0-9._-]*)*$/
const draftSuffix = '.new'

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

function requirePath(path: string): void {
  if (!pathPattern.test(path) || path.endsWith(draftSuffix)) {
    throw new RangeError(`not a path of this tree: ${JSON.stringify(path)}`)
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows opens no directories; there a rename is on disk with the file.
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The directories of a path, innermost first, without the root. */
function directoriesOf(path: string): readonly string[] {
  const parent = dirname(path)
  return parent === '.' ? [] : [parent, ...directoriesOf(parent)]
}

class DirectoryFiles implements DurableFiles {
  readonly #root: string
  /** Directories that are known to be there, so that their parents need no sync. Bound: those of the tree. */
  readonly #known = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  async read(path: string): Promise<Buffer | null> {
    requirePath(path)
    try {
      return await readFile(join(this.#root, path))
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null
      throw error
    }
  }

  async write(files: readonly FileContent[]): Promise<void> {
    for (const { path } of files) requirePath(path)
    const changed = new Set<string>()
    for (const { path } of files) await this.#makeDirectories(path, changed)
    await Promise.all(files.map((file) => this.#writeOne(file)))
    for (const directory of changed) await syncDirectory(join(this.#root, directory))
  }

  async #makeDirectories(path: string, changed: Set<string>): Promise<void> {
    changed.add(dirname(path))
    const missing = directoriesOf(path).filter((directory) => !this.#known.has(directory))
    if (missing.length === 0) return
    await mkdir(join(this.#root, dirname(path)), { recursive: true, mode: 0o700 })
    for (const directory of missing) {
      changed.add(dirname(directory))
      this.#known.add(directory)
    }
  }

  async #writeOne({ path, bytes }: FileContent): Promise<void> {
    const target = join(this.#root, path)
    const draft = target + draftSuffix
    const handle = await open(draft, 'w', 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, target)
  }

  async remove(path: string): Promise<void> {
    requirePath(path)
    const target = join(this.#root, path)
    if ((await this.read(path)) === null) return
    await rm(target, { force: true })
    await syncDirectory(dirname(target))
  }

  async list(directory = ''): Promise<readonly string[]> {
    if (directory !== '') requirePath(directory)
    const found: string[] = []
    await this.#collect(directory, found)
    return found.sort()
  }

  async #collect(directory: string, found: string[]): Promise<void> {
    const names = await readdir(join(this.#root, directory), { withFileTypes: true }).catch(
      (error: unknown) => {
        if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
        throw error
      },
    )
    for (const entry of names) {
      const path = directory === '' ? entry.name : `${directory}/${entry.name}`
      if (entry.isDirectory()) await this.#collect(path, found)
      else if (!path.endsWith(draftSuffix)) found.push(path)
    }
  }
}

/** `directory` is created (0700) when absent. */
export async function openDurableFiles(directory: string): Promise<DurableFiles> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  return new DirectoryFiles(directory)
}

/** The same without creating anything, for those who only read. */
export function readDurableFiles(directory: string): Pick<DurableFiles, 'read' | 'list'> {
  return new DirectoryFiles(directory)
}
