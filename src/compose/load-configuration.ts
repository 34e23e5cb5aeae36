/**
 * `gatewright.yaml` with all that can be checked of it before anything runs: its schema, what its options say
 * together, and the provider rows, which compile or are refused with their place.
 */
import {
  ConfigError,
  type ConfigProblem,
  joinPath,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
} from '../config/index.ts'

/** @throws ConfigError naming file, line, path and reason of every problem */
export async function loadConfiguration(options: LoadOptions): Promise<LoadedConfig> {
  const loaded = loadConfig(options)
  const problems = await providerProblems(loaded)
  if (problems.length > 0) throw new ConfigError(problems)
  return loaded
}

async function providerProblems({ config, file, lineOf }: LoadedConfig): Promise<ConfigProblem[]> {
  const rows = config.providers ?? []
  if (rows.length === 0) return []
  // The catalogue and its dialects are loaded by those alone who have rows of their own.
  const { createCatalogue } = await import('../providers/index.ts')
  const problems: ConfigProblem[] = []
  createCatalogue(rows, (index, { internalText }) => {
    const path = ['providers', index]
    problems.push({ file: file ?? '', line: lineOf(path), path: joinPath(path), reason: internalText })
  })
  return problems
}
