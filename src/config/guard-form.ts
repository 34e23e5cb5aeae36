/** How a guard is written, in `gatewright.yaml` and in the admin API alike. */
import { type Static, Type } from 'typebox'
import {
  type GuardMatch,
  type GuardTerms,
  guardActions,
  guardDetectors,
  guardFailures,
  guardModes,
  guardPlaces,
  guardStreamModes,
} from '../domain/guards.ts'
import { oneOf, patterns } from './limit-form.ts'

const closed = { additionalProperties: false }
const { Optional: optional } = Type

/** Every field of a guard as written. */
export const guardTermFields = {
  name: Type.String({
    description: 'Name, unique in the organization; callers see it where the guard blocks.',
    pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
  }),
  detector: oneOf(guardDetectors, 'What is looked for.'),
  places: Type.Array(oneOf(guardPlaces, 'A place.'), {
    description:
      'Where it is looked for: what the caller sends (`request`), system prompts, documents, results and arguments of tools, what the model answers (`response`). Everywhere when left out.',
    minItems: 1,
    maxItems: guardPlaces.length,
  }),
  threshold: Type.Number({
    description: 'Findings with a lower score are as good as none; 0.5 when left out.',
    minimum: 0,
    maximum: 1,
  }),
  action: oneOf(
    guardActions,
    '`flag` only tells; `mask` puts the kind of thing in its place; `block` refuses the request or ends the answer; `allow` goes before all others.',
  ),
  mode: oneOf(
    guardModes,
    '`enforce` (the default), or `shadow`: acts on nothing, and tells operators what it would have done.',
  ),
  streaming: oneOf(
    guardStreamModes,
    'On streams: `cut` (the default) holds back only what may yet become a finding; `hold` waits for the end of each part, and looks into encoded text too.',
  ),
  onFailure: oneOf(
    guardFailures,
    'Of an answer that cannot be inspected: `closed` (the default) lets it not pass; `open` does.',
  ),
}
const rules = patterns('Rules of the detector')

export const givenGuardFields = {
  name: guardTermFields.name,
  detector: guardTermFields.detector,
  places: optional(guardTermFields.places),
  rules: optional(rules),
  threshold: optional(guardTermFields.threshold),
  action: guardTermFields.action,
  mode: optional(guardTermFields.mode),
  streaming: optional(guardTermFields.streaming),
  onFailure: optional(guardTermFields.onFailure),
}
const givenGuardSchema = Type.Object(givenGuardFields, closed)
export type GivenGuard = Static<typeof givenGuardSchema>

export const guardRulesField = rules

export const guardMatchFields = {
  applications: patterns('Slugs of applications'),
  products: patterns('Slugs of products'),
  routes: patterns('Names of model routes'),
  models: patterns('Public model names'),
  keys: patterns('Public ids of keys'),
}

export const givenGuardMatchSchema = Type.Object(
  {
    applications: optional(guardMatchFields.applications),
    products: optional(guardMatchFields.products),
    routes: optional(guardMatchFields.routes),
    models: optional(guardMatchFields.models),
    keys: optional(guardMatchFields.keys),
  },
  {
    ...closed,
    description: 'The guard holds where all that is named here matches; everywhere when left out.',
  },
)

/** A guard as given, complete. */
export function readGuardTerms(given: GivenGuard): GuardTerms {
  return {
    name: given.name,
    detector: given.detector,
    places: given.places ?? guardPlaces,
    rules: given.rules ?? null,
    threshold: given.threshold ?? 0.5,
    action: given.action,
    mode: given.mode ?? 'enforce',
    streaming: given.streaming ?? 'cut',
    onFailure: given.onFailure ?? 'closed',
  }
}

/** Every field said; null: any. */
export function readGuardMatch(given: Static<typeof givenGuardMatchSchema> = {}): GuardMatch {
  return {
    applications: given.applications ?? null,
    products: given.products ?? null,
    routes: given.routes ?? null,
    models: given.models ?? null,
    keys: given.keys ?? null,
  }
}
