/**
 * Every metric, in the order in which it is shown. `docs/reference/metrics.md` is generated from here. No label names a
 * key, a user or an address, and no label value comes from a caller: models are those of the configuration.
 */
import { type Metric, metricsOf } from './metric.ts'

/** Of calls of models: OpenTelemetry GenAI conventions, v1.41. */
const callSeconds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const firstTokenSeconds = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]
const overheadSeconds = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25]
/** OpenTelemetry's for HTTP servers, which end at 10 s, and on to where answers of models end. */
const httpSeconds = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20.48, 40.96, 81.92,
]
const stageSeconds = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1,
]
const waitSeconds = [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const lagSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
const collectionSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
/** OpenTelemetry's for `gen_ai.server.time_per_output_token`. */
const perTokenSeconds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
const tokenCounts = Array.from({ length: 14 }, (_, power) => 4 ** power)

const workers = metricsOf('workers')
const node = metricsOf('node')
const view = metricsOf('view')

export const metrics = Object.freeze({
  // What callers meet
  requests: workers.counter('gatewright_requests_total', {
    help: 'Requests that have ended.',
    labels: ['operation', 'model', 'provider', 'status', 'outcome'],
    maxSeries: 2000,
  }),
  faults: workers.counter('gatewright_request_faults_total', {
    help: 'Requests that ended with an error of the gateway, by its code.',
    labels: ['code'],
    maxSeries: 200,
  }),
  requestDuration: workers.histogram('gatewright_request_duration_seconds', {
    help: 'From the arrival of a request to the end of its answer.',
    unit: 'seconds',
    labels: ['operation', 'model', 'stream'],
    maxSeries: 400,
    buckets: callSeconds,
  }),
  overhead: workers.histogram('gatewright_overhead_duration_seconds', {
    help: 'From the arrival of a request to the last call of a provider: what the gateway adds before it, with the upload, waits for limits and earlier tries.',
    unit: 'seconds',
    labels: ['operation', 'stream'],
    maxSeries: 100,
    buckets: overheadSeconds,
  }),
  stageDuration: workers.histogram('gatewright_request_stage_duration_seconds', {
    help: 'Time of a request in each stage that can take long, with the short ones after it; in call-upstream until the last call of a provider.',
    unit: 'seconds',
    labels: ['stage'],
    maxSeries: 20,
    buckets: stageSeconds,
  }),
  firstToken: workers.histogram('gatewright_time_to_first_token_seconds', {
    help: 'From the arrival of a request to the first byte of its streamed answer; answered streams only.',
    unit: 'seconds',
    labels: ['operation', 'model', 'provider'],
    maxSeries: 400,
    buckets: firstTokenSeconds,
  }),
  openRequests: workers.gauge('gatewright_open_requests', { help: 'Requests under way.' }),
  openStreams: workers.gauge('gatewright_open_streams', { help: 'Answers that are being streamed.' }),
  cacheRequests: workers.counter('gatewright_cache_requests_total', {
    help: 'Requests on routes that keep answers, by what the cache had.',
    labels: ['result'],
    maxSeries: 4,
  }),

  // Who is let in
  authAttempts: workers.counter('gatewright_auth_attempts_total', {
    help: 'Credentials that were looked at: API keys and access tokens of requests, and admin tokens and set-up links of the control plane; by what came of it.',
    labels: ['method', 'result'],
    maxSeries: 40,
  }),
  authzDecisions: workers.counter('gatewright_authz_decisions_total', {
    help: 'Whether requests with a proven key may have what they ask for: the operation, the model, the region; and admin tokens that lacked the scope.',
    labels: ['resource', 'decision'],
    maxSeries: 10,
  }),
  adminRequests: workers.counter('gatewright_admin_requests_total', {
    help: 'Requests of the admin API that were answered, by operation (none: no such path) and HTTP status: 401, 403 and 429 were denied.',
    labels: ['operation', 'status'],
    maxSeries: 1000,
  }),
  tlsHandshakes: workers.counter('gatewright_tls_handshakes_total', {
    help: 'TLS handshakes of the data plane, by the version that was agreed on; none where it failed.',
    labels: ['version', 'result'],
    maxSeries: 10,
  }),

  // What was used
  tokens: workers.counter('gatewright_tokens_total', {
    help: 'Tokens of ended requests; no token stands in two kinds.',
    labels: ['direction', 'kind', 'model', 'provider', 'source'],
    maxSeries: 2000,
  }),
  cost: workers.counter('gatewright_cost_usd_total', {
    help: 'Cost of ended requests at the prices of the configuration.',
    unit: 'usd',
    labels: ['model', 'provider'],
    maxSeries: 400,
  }),
  productRequests: workers.counter('gatewright_product_requests_total', {
    help: 'Ended requests by the API product whose subscription let them in.',
    labels: ['organization', 'product'],
    maxSeries: 1000,
  }),
  productCost: workers.counter('gatewright_product_cost_usd_total', {
    help: 'Cost of ended requests by API product, at the prices of the configuration.',
    unit: 'usd',
    labels: ['organization', 'product'],
    maxSeries: 1000,
  }),
  unpriced: workers.counter('gatewright_unpriced_requests_total', {
    help: 'Requests that reached a provider and have no price.',
    labels: ['model', 'provider'],
    maxSeries: 400,
  }),

  // Providers
  upstreamAttempts: workers.counter('gatewright_upstream_attempts_total', {
    help: 'Tries at targets, by what came of them: ok, abandoned, or the class of the failure.',
    labels: ['model', 'provider', 'outcome'],
    maxSeries: 1000,
  }),
  upstreamDuration: workers.histogram('gatewright_upstream_duration_seconds', {
    help: 'From a call of a provider to its end.',
    unit: 'seconds',
    labels: ['operation', 'model', 'provider', 'outcome'],
    maxSeries: 600,
    buckets: callSeconds,
  }),
  upstreamFirstChunk: workers.histogram('gatewright_upstream_first_chunk_seconds', {
    help: 'From a call of a provider to the first content of its stream.',
    unit: 'seconds',
    labels: ['operation', 'model', 'provider'],
    maxSeries: 400,
    buckets: callSeconds,
  }),
  targetState: node.gauge('gatewright_target_state', {
    help: 'State of each target: 1 for the state that it is in.',
    labels: ['organization', 'deployment', 'model', 'state'],
    maxSeries: 2000,
  }),
  targetOutages: node.counter('gatewright_target_outages_total', {
    help: 'Times that a target, or its deployment, went out of use.',
    labels: ['organization', 'deployment', 'model'],
    maxSeries: 400,
  }),

  // Limits
  limitDecisions: node.counter('gatewright_limit_decisions_total', {
    help: 'Per limit: requests that it refused, that passed it because it is not enforced (exceeded), and times that its counter could not be asked (unavailable).',
    labels: ['organization', 'plan', 'limit', 'mode', 'decision'],
    maxSeries: 3000,
  }),
  budgetRemaining: node.gauge('gatewright_budget_remaining_ratio', {
    help: 'Share that is left of limits by the calendar that are one for all, as this node last heard; absent until it did.',
    unit: 'ratio',
    labels: ['organization', 'limit', 'meter', 'period'],
    maxSeries: 400,
  }),
  limitSlots: node.gauge('gatewright_limit_table_slots', { help: 'Counters that there is room for.' }),
  limitSlotsUsed: node.gauge('gatewright_limit_table_slots_used', { help: 'Counters in use.' }),
  limitRejections: node.counter('gatewright_limit_table_rejections_total', {
    help: 'Steps that the counters did not take: no room (full), or a lock was not let go of (busy).',
    labels: ['reason'],
    maxSeries: 2,
  }),
  queueWaiting: workers.gauge('gatewright_queue_waiting_requests', {
    help: 'Requests that wait for a limit.',
  }),
  queueRequests: workers.counter('gatewright_queue_requests_total', {
    help: 'Requests that were to wait for a limit: entered, served, refused because the queue was full, or in the end because the wait was overdue.',
    labels: ['event'],
    maxSeries: 4,
  }),
  queueWait: workers.histogram('gatewright_queue_wait_duration_seconds', {
    help: 'How long requests waited for a limit, and whether they were served then.',
    unit: 'seconds',
    labels: ['result'],
    maxSeries: 2,
    buckets: waitSeconds,
  }),
  shed: workers.counter('gatewright_shed_requests_total', {
    help: 'Requests turned away for load.',
    labels: ['priority'],
    maxSeries: 4,
  }),

  // Token estimates
  estimateCount: workers.counter('gatewright_token_estimates_total', {
    help: 'Estimates of input tokens that were compared with the figure of the provider.',
    labels: ['model', 'provider'],
    maxSeries: 512,
  }),
  estimateRatio: workers.gauge('gatewright_token_estimate_ratio', {
    help: 'Running mean of actual / estimated input tokens; 1 is right on average.',
    unit: 'ratio',
    combine: 'mean',
    labels: ['model', 'provider'],
    maxSeries: 512,
  }),
  estimateError: workers.gauge('gatewright_token_estimate_error_ratio', {
    help: 'Running mean of how far estimates were off, either way, as a share of the actual input tokens.',
    unit: 'ratio',
    combine: 'mean',
    labels: ['model', 'provider'],
    maxSeries: 512,
  }),
  estimateCorrection: workers.gauge('gatewright_token_estimate_correction_ratio', {
    help: 'What the next estimates are multiplied by.',
    unit: 'ratio',
    combine: 'mean',
    labels: ['model', 'provider'],
    maxSeries: 512,
  }),

  // The usage log
  usageHeld: workers.gauge('gatewright_usage_held_bytes', {
    help: 'Usage records that are not on disk yet.',
    unit: 'bytes',
  }),
  usageRecords: node.counter('gatewright_usage_records_total', {
    help: 'Lines of the usage log since the control plane started: summed, repeated, or no usage record.',
    labels: ['result'],
    maxSeries: 3,
  }),
  usageLag: node.gauge('gatewright_usage_lag_seconds', {
    help: 'How long ago usage was last summed while more of it is on disk; 0: all is summed.',
    unit: 'seconds',
  }),
  exportRecords: node.counter('gatewright_export_records_total', {
    help: 'Events for a sink since the control plane started: delivered, sent again, or rejected for good.',
    labels: ['sink', 'result'],
    maxSeries: 48,
  }),
  exportDeadLetters: node.counter('gatewright_export_dead_letter_total', {
    help: 'Events that a sink rejected for good and that were put aside since the control plane started.',
    labels: ['sink'],
    maxSeries: 16,
  }),
  exportLag: node.gauge('gatewright_export_lag_seconds', {
    help: 'Age of the oldest event that is under way to a sink; 0: none is.',
    unit: 'seconds',
    labels: ['sink'],
    maxSeries: 16,
  }),
  exportSpool: node.gauge('gatewright_export_spool_bytes', {
    help: 'Size of the spool of events that are not in the usage log.',
    unit: 'bytes',
  }),

  // The audit log
  auditEntries: node.counter('gatewright_audit_entries_total', {
    help: 'Entries of the audit log since the control plane started, by stream and outcome.',
    labels: ['stream', 'outcome'],
    maxSeries: 12,
  }),
  auditFailures: node.counter('gatewright_audit_failures_total', {
    help: 'Entries that the audit log could not take; what they were about was refused, or is in the process log.',
  }),
  auditTreeSize: node.gauge('gatewright_audit_tree_size', {
    help: 'Entries under the last checkpoint of the audit log.',
  }),
  auditCheckpointAge: node.gauge('gatewright_audit_checkpoint_age_seconds', {
    help: 'How long ago a checkpoint was published or found at the start; grows while nothing happens.',
    unit: 'seconds',
  }),

  // Traces
  traceSpans: node.counter('gatewright_trace_spans_total', {
    help: 'Spans by what became of them: exported, rejected by the receiver, failed (not delivered), overflow (no room), unsampled (by the rules of the tail).',
    labels: ['result'],
    maxSeries: 5,
  }),
  tracesLost: node.counter('gatewright_traces_lost_total', {
    help: 'Traced exchanges that a worker dropped because too much waited for the control plane.',
  }),

  // The process
  build: node.gauge('gatewright_build_info', {
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node'],
    maxSeries: 1,
  }),
  snapshotVersion: node.gauge('gatewright_snapshot_version', {
    help: 'Version of the configuration in force.',
  }),
  snapshotApplied: node.gauge('gatewright_snapshot_applied_timestamp_seconds', {
    help: 'When the configuration in force was taken over.',
    unit: 'seconds',
  }),
  snapshotRefused: node.gauge('gatewright_snapshot_refused', {
    help: '1 while a newer configuration is refused, and the one in force stays.',
  }),
  configReload: node.gauge('gatewright_config_reload_timestamp_seconds', {
    help: 'When gatewright.yaml and the environment were last loaded and taken.',
    unit: 'seconds',
  }),
  configRefused: node.gauge('gatewright_config_refused', {
    help: '1 while what was loaded last is refused, and the configuration of before stays.',
  }),
  workersConfigured: node.gauge('gatewright_workers_configured', { help: 'Threads of the data plane.' }),
  workersRunning: node.gauge('gatewright_workers_running', {
    help: 'Threads of the data plane that listen.',
  }),
  restarts: node.counter('gatewright_thread_restarts_total', {
    help: 'Threads that ended and were replaced.',
  }),
  loopDelay: workers.gauge('gatewright_event_loop_delay_seconds', {
    help: 'How late the event loop of a worker is, as a running mean; 0 where load is not watched.',
    unit: 'seconds',
    labels: ['worker'],
    maxSeries: 256,
  }),
  loopUtilization: workers.gauge('gatewright_event_loop_utilization_ratio', {
    help: 'Share of the last seconds in which the event loop of a worker was busy.',
    unit: 'ratio',
    labels: ['worker'],
    maxSeries: 256,
  }),
  heapUsed: workers.gauge('gatewright_heap_used_bytes', {
    help: 'Heap of a worker that is in use.',
    unit: 'bytes',
    labels: ['worker'],
    maxSeries: 256,
  }),
  loopLag: workers.histogram('nodejs_eventloop_lag_seconds', {
    help: 'How late timers of the workers fire, looked at every 50 ms where load is watched.',
    unit: 'seconds',
    buckets: lagSeconds,
  }),
  heapTotal: workers.gauge('nodejs_heap_size_total_bytes', {
    help: 'Heap that a worker has taken from the system.',
    unit: 'bytes',
    labels: ['worker'],
    maxSeries: 256,
  }),
  heapLimit: workers.gauge('nodejs_heap_size_limit_bytes', {
    help: 'Heap that a worker may take.',
    unit: 'bytes',
    labels: ['worker'],
    maxSeries: 256,
  }),
  externalMemory: workers.gauge('nodejs_external_memory_bytes', {
    help: 'Memory outside the heap that objects of a worker hold.',
    unit: 'bytes',
    labels: ['worker'],
    maxSeries: 256,
  }),
  collections: workers.histogram('nodejs_gc_duration_seconds', {
    help: 'Garbage collections of the workers.',
    unit: 'seconds',
    labels: ['kind'],
    maxSeries: 8,
    buckets: collectionSeconds,
  }),
  memory: node.gauge('process_resident_memory_bytes', {
    help: 'Resident memory of the process.',
    unit: 'bytes',
  }),
  cpu: node.counter('process_cpu_seconds_total', {
    help: 'Processor time of the process, user and system.',
    unit: 'seconds',
  }),
  startTime: node.gauge('process_start_time_seconds', {
    help: 'When the process started.',
    unit: 'seconds',
  }),
  virtualMemory: node.gauge('process_virtual_memory_bytes', {
    help: 'Address space of the process.',
    unit: 'bytes',
  }),
  openFiles: node.gauge('process_open_fds', { help: 'File descriptors in use.' }),
  maxFiles: node.gauge('process_max_fds', { help: 'File descriptors that the process may have.' }),
  diskFree: node.gauge('gatewright_data_disk_free_bytes', {
    help: 'Room left where the data directory is.',
    unit: 'bytes',
  }),
  certificateExpiry: node.gauge('gatewright_certificate_expiry_timestamp_seconds', {
    help: 'When the certificate in use expires.',
    unit: 'seconds',
  }),
  overflows: workers.counter('gatewright_metric_series_overflows_total', {
    help: 'Times that a label set of a metric found no room and is counted as other.',
    labels: ['metric'],
    maxSeries: 200,
  }),

  // Names of the OpenTelemetry conventions for HTTP and GenAI
  httpDuration: workers.histogram('http_server_request_duration_seconds', {
    help: 'From the arrival of a request to the end of its answer.',
    unit: 'seconds',
    labels: ['http_request_method', 'url_scheme', 'http_route', 'http_response_status_code', 'error_type'],
    maxSeries: 1500,
    buckets: httpSeconds,
  }),
  httpActive: workers.gauge('http_server_active_requests', {
    help: 'Requests under way.',
    labels: ['http_request_method', 'url_scheme'],
    maxSeries: 16,
  }),
  callDuration: view.histogram('gen_ai_client_operation_duration_seconds', {
    help: 'Calls of providers, as gatewright_upstream_duration_seconds.',
    unit: 'seconds',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model', 'error_type'],
    buckets: callSeconds,
  }),
  callFirstChunk: view.histogram('gen_ai_client_operation_time_to_first_chunk_seconds', {
    help: 'First content of streams of providers, as gatewright_upstream_first_chunk_seconds.',
    unit: 'seconds',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'],
    buckets: callSeconds,
  }),
  tokenUsage: workers.histogram('gen_ai_client_token_usage', {
    help: 'Tokens of a request, input and output, where the provider gave figures.',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model', 'gen_ai_token_type'],
    maxSeries: 600,
    buckets: tokenCounts,
  }),
  serverDuration: workers.histogram('gen_ai_server_request_duration_seconds', {
    help: 'From the arrival of a request to the end of its answer, of requests that were sent to a provider.',
    unit: 'seconds',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model', 'error_type'],
    maxSeries: 600,
    buckets: callSeconds,
  }),
  serverFirstToken: view.histogram('gen_ai_server_time_to_first_token_seconds', {
    help: 'As gatewright_time_to_first_token_seconds.',
    unit: 'seconds',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'],
    buckets: firstTokenSeconds,
  }),
  serverPerToken: workers.histogram('gen_ai_server_time_per_output_token_seconds', {
    help: 'Time of a streamed answer after its first byte, by output token after the first; answered streams with figures of the provider.',
    unit: 'seconds',
    labels: ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'],
    maxSeries: 400,
    buckets: perTokenSeconds,
  }),
})

/** All of them; the place in the list is what shared memory knows a metric by. */
export const metricList: readonly Metric[] = Object.freeze(Object.values(metrics))
