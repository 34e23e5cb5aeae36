/** What the configuration means for the data plane. */
import { type Config, isLoopbackHost } from '../config/index.ts'
import { defaultPrices } from '../metering/index.ts'
import { usageResolutionMs } from '../ports/usage-store.ts'
import type { SnapshotSettings } from '../publishing/index.ts'
import type { UsageRetention } from '../usage/index.ts'
import { tracingTerms } from './trace-intake.ts'

/** Bounds, timeouts, prices and the rest of a snapshot that does not come from the store. */
export function snapshotSettings(
  config: Config,
  peppers: Readonly<Record<string, string>>,
): SnapshotSettings {
  const ownPrices = (config.prices ?? []).map((row) => ({
    ...row,
    cachedInputPerMillion: row.cachedInputPerMillion ?? null,
    cacheWritePerMillion: row.cacheWritePerMillion ?? null,
  }))
  const tracing = tracingTerms(config.tracing)
  return {
    prices: [...defaultPrices, ...ownPrices],
    peppers,
    bounds: config.bounds,
    timeouts: config.timeouts,
    trustedProxies: config.gateway.trustedProxies,
    forwardedHeader: config.gateway.forwardedHeader,
    sandboxEnabled: isSandboxEnabled(config),
    documentationUrl: config.documentationUrl,
    ...(config.sinks.length > 0
      ? { events: { exchanges: config.events.exchanges, security: config.events.security } }
      : {}),
    ...(config.contentLog.enabled ? { contentLog: { maxBytes: config.contentLog.maxBytes } } : {}),
    ...(tracing === undefined ? {} : { tracing }),
  }
}

/** Unless told otherwise, the sandbox serves only while nobody outside this machine can reach it. */
export function isSandboxEnabled({ sandbox, gateway }: Config): boolean {
  if (sandbox.enabled !== 'auto') return sandbox.enabled
  return [gateway.http, gateway.https].every((listener) => !listener.enabled || isLoopbackHost(listener.host))
}

/** True while `gatewright.yaml` holds objects: it alone manages them then. */
export function isFileManaged(config: Config): boolean {
  const { organizations, deployments, models, products, plans, limits, applications } = config
  const { guards, policies, tokenIssuers } = config
  const more = [guards, policies, tokenIssuers]
  const lists = [organizations, deployments, models, products, plans, limits, applications, ...more]
  return lists.some((list) => list !== undefined)
}

/** How long sums of usage are kept: coarser ones never shorter than finer ones, or old times would have neither. */
export function usageRetention({ usage }: Config): UsageRetention {
  const minute = usage.minuteSumsDays * usageResolutionMs.day
  const hour = Math.max(usage.hourSumsDays * usageResolutionMs.day, minute)
  return { minute, hour, day: Math.max(usage.daySumsDays * usageResolutionMs.day, hour) }
}
