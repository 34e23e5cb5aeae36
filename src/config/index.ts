/**
 * Configuration: one typed, commented schema; one loader; problems named by file, line, path and reason.
 * Nothing outside this folder reads `process.env` or parses `gatewright.yaml`.
 */
export { ConfigError, type ConfigProblem, describeProblem } from '../faults/config-error.ts'
export type { AlertWebhookConfig } from './alerts-form.ts'
export { sharesRates } from './counters-form.ts'
export * from './guard-form.ts'
export { keyPolicySchema } from './key-policy-form.ts'
export type { LeakReporterConfig, LeakReportsConfig } from './leak-reports-form.ts'
export * from './limit-form.ts'
export {
  type Environment,
  isLoopbackHost,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
  parseResources,
  readEnvironment,
  readSecretReference,
} from './load.ts'
export { joinPath } from './parse.ts'
export { changedStartSettings, keepStartSettings, startOnlyPaths } from './readings.ts'
export { routePolicySchema } from './route-policy-form.ts'
export { type Config, configSchema, type ResourceDocument } from './schema.ts'
export { findSchemaProblems, type SchemaProblem } from './schema-problems.ts'
export { type SinkConfig, type SinkSettings, sinkTypeNames } from './sinks-form.ts'
export {
  type GivenIssuer,
  givenIssuerFields,
  type ReportIssuerProblem,
  readTokenTerms,
  writeTokenTerms,
} from './token-issuer-form.ts'
