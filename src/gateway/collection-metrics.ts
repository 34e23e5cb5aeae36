/** Garbage collections of this thread, as Node.js tells them. Asking for them costs a callback for each. */
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { type MetricWriter, metrics } from '../telemetry/index.ts'
import { NamedCells } from './metric-cells.ts'

const kinds: ReadonlyMap<unknown, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weak_callbacks'],
])

/** Counts from now on, as long as the thread lives. */
export function countCollections(writer: MetricWriter): void {
  const cells = new NamedCells((kind) => writer.bind(metrics.collections, [kind]))
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { detail } = entry as unknown as { readonly detail?: { readonly kind?: number } }
      const kind = kinds.get(detail?.kind) ?? 'other'
      writer.observe(metrics.collections, cells.of(kind), entry.duration / 1000)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
}
