/**
 * Cost of a decision by policies: 50 and 500 of them, a request described from nothing each time, as the data plane
 * does. Prints JSON with microseconds of CPU per decision.
 */
import {
  type Call,
  compileOrganizationPolicies,
  type OrganizationPolicies,
  requirePolicy,
} from '../../src/access/index.ts'
import type { JsonValue } from '../../src/domain/json.ts'

const applications = 20

/** Four permits to one forbid; by application, by model, by network, by time; a tenth is for everybody. */
function policyText(at: number): string {
  const application = `Application::"app${at % applications}"`
  switch (at % 10) {
    case 0:
      return 'forbid (principal, action, resource) when { context has country && context.country == "XX" };'
    case 1:
      return `permit (principal in ${application}, action in Action::"generate", resource in Product::"chat");`
    case 2:
      return `permit (principal in ${application}, action, resource) when { context.time.hour >= ${at % 24} };`
    case 3:
      return `permit (principal, action, resource == ModelRoute::"model${at}");`
    case 4:
      return `permit (principal in Team::"team${at % 5}", action in [Action::"chat.completions", Action::"embeddings"], resource) when { context has model && ["model1", "model2", "model${at}"].contains(context.model) };`
    case 5:
      return `forbid (principal in ${application}, action, resource) unless { context.ip.isInRange(ip("10.0.0.0/8")) };`
    case 6:
      return `permit (principal in ${application}, action, resource) when { principal.environment == "live" };`
    case 7:
      return `permit (principal == Key::"key${at}", action, resource);`
    case 8:
      return `permit (principal, action in Action::"list", resource);`
    default:
      return `permit (principal in ${application}, action, resource) when { context has model && context.model like "model*" };`
  }
}

function compile(count: number): OrganizationPolicies {
  const policies = Array.from({ length: count }, (_, at) => {
    const name = `p${at}`
    return { name, json: requirePolicy({ name, text: policyText(at) }) as unknown as JsonValue }
  })
  return compileOrganizationPolicies({
    organizationId: 'org',
    organization: 'acme',
    policies,
    applications: Array.from({ length: applications }, (_, at) => ({
      id: `id${at}`,
      slug: `app${at}`,
      team: `team${at % 5}`,
    })),
    products: [{ id: 'prd', slug: 'chat' }],
  })
}

const calls: readonly Call[] = Array.from({ length: 1024 }, (_, at) => ({
  keyId: `key${at % 100}`,
  environment: at % 3 === 0 ? 'test' : 'live',
  isToken: false,
  applicationId: `id${at % applications}`,
  operation: at % 2 === 0 ? 'chat.completions' : 'embeddings',
  model: { route: `model${at % 40}`, asked: `model${at % 40}`, productId: 'prd' },
  address: at % 4 === 0 ? `192.0.2.${at % 250}` : `10.0.${at % 250}.7`,
  now: Date.UTC(2026, 10, 28) + at * 60_000,
}))

const rounds = 200_000
let allowed = 0

function measure(policies: OrganizationPolicies): number {
  const decideAt = (index: number): void => {
    const call = calls[index & 1023]
    if (call !== undefined && policies.decide(call).isAllowed) allowed += 1
  }
  for (let index = 0; index < rounds / 4; index += 1) decideAt(index)
  const start = process.threadCpuUsage()
  for (let index = 0; index < rounds; index += 1) decideAt(index)
  const spent = process.threadCpuUsage(start)
  return (spent.user + spent.system) / rounds
}

const fifty = compile(50)
const fiveHundred = compile(500)
const figures = {
  isCompiled: fifty.isCompiled && fiveHundred.isCompiled,
  fiftyMicroseconds: measure(fifty),
  fiveHundredMicroseconds: measure(fiveHundred),
  allowedShare: allowed / (rounds * 2.5),
}
process.stdout.write(`${JSON.stringify(figures)}\n`)
