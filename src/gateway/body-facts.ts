/**
 * What the stages need to know of a body beyond its small fields. Of large bodies another thread finds it out, so that
 * no stage has to look into their content. A few kilobytes, whatever the body holds.
 */
import { hash } from 'node:crypto'
import { isJsonObject, type JsonObject } from '../domain/json.ts'
import type { Operation } from '../domain/operations.ts'
import { type InputMeasure, measureInput } from '../metering/index.ts'
import { conversationHash } from '../routing/index.ts'
import { type OutputCap, outputCapOf } from './limits/output-cap.ts'

export interface BodyFacts {
  readonly input: InputMeasure
  readonly cap: OutputCap
  /** Null: nothing in the body names the conversation. */
  readonly conversation: number | null
  readonly toolModels: readonly (string | null)[]
  /** Of the body's bytes, base64. */
  readonly sha256: string
}

interface FactTerms {
  readonly body: Uint8Array
  readonly operation: Operation
  /** The caller's organization. */
  readonly tenant: string
}

export function findFacts(json: JsonObject, { body, operation, tenant }: FactTerms): BodyFacts {
  return {
    input: measureInput(json),
    cap: outputCapOf(operation, json),
    conversation: conversationHash(tenant, json, ''),
    toolModels: modelsOfTools(json),
    sha256: hash('sha256', body, 'base64'),
  }
}

const maxToolsRead = 1024
const maxModelLength = 200

/** Models that tools name. Null stands for what is no model's name, and for tools beyond those that are read. */
export function modelsOfTools(json: JsonObject): readonly (string | null)[] {
  const tools = json['tools']
  if (!Array.isArray(tools)) return []
  const models: (string | null)[] = []
  for (const tool of tools.slice(0, maxToolsRead)) {
    const model: unknown = isJsonObject(tool) ? tool['model'] : undefined
    if (model === undefined) continue
    models.push(typeof model === 'string' && model.length <= maxModelLength ? model : null)
  }
  if (tools.length > maxToolsRead) models.push(null)
  return models
}
