/** The version in `package.json`, read once per thread: the only place that knows which release this is. */
import { readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string
}

export const packageVersion = manifest.version
