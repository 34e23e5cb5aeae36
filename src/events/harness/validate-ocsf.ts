/** What of a document breaks the tables of `ocsf-schema.ts`; empty: nothing does. */
import { isIP } from 'node:net'
import { type OcsfShape, ocsfClasses, ocsfObjects } from './ocsf-schema.ts'

type Dictionary = Readonly<Record<string, unknown>>

export function ocsfProblems(document: unknown): string[] {
  if (!isDictionary(document)) return ['it is no object']
  const shape = ocsfClasses[Number(document['class_uid'])]
  if (shape === undefined) return [`class_uid ${String(document['class_uid'])} is not in the tables`]
  const activity = Number(document['activity_id'])
  const problems = shapeProblems(document, shape, '')
  if (document['category_uid'] !== shape.category) problems.push('category_uid is not the one of the class')
  if (document['type_uid'] !== Number(document['class_uid']) * 100 + activity) problems.push('type_uid')
  if (!shape.activities.includes(activity)) problems.push(`activity_id ${activity}`)
  if (activity === 99 && typeof document['activity_name'] !== 'string')
    problems.push('activity_name is missing')
  if (![0, 1, 2, 3, 4, 5, 6, 99].includes(Number(document['severity_id']))) problems.push('severity_id')
  if ('status_id' in document && !shape.statuses.includes(Number(document['status_id'])))
    problems.push('status_id')
  return problems
}

function shapeProblems(value: Dictionary, { attributes, atLeastOne }: OcsfShape, path: string): string[] {
  const problems: string[] = []
  for (const [name, child] of Object.entries(value)) {
    const type = attributes[name]
    if (type === undefined) problems.push(`${path}${name} is not an attribute`)
    else problems.push(...typeProblems(child, type.replace('*', ''), `${path}${name}`))
  }
  for (const [name, type] of Object.entries(attributes)) {
    if (type.endsWith('*') && !(name in value)) problems.push(`${path}${name} is missing`)
  }
  if (atLeastOne.length > 0 && !atLeastOne.some((name) => name in value))
    problems.push(`${path} has none of ${atLeastOne.join(', ')}`)
  return problems
}

function typeProblems(value: unknown, type: string, path: string): string[] {
  if (type.endsWith('[]')) {
    if (!Array.isArray(value)) return [`${path} is no list`]
    return value.flatMap((item, at) => typeProblems(item, type.slice(0, -2), `${path}.${at}`))
  }
  const shape = type.startsWith('@') ? ocsfObjects[type.slice(1)] : undefined
  if (shape !== undefined) {
    return isDictionary(value) ? shapeProblems(value, shape, `${path}.`) : [`${path} is no object`]
  }
  return isOf(type, value) ? [] : [`${path} is no ${type}`]
}

function isOf(type: string, value: unknown): boolean {
  if (type === 'any') return true
  if (type === 'integer') return Number.isSafeInteger(value)
  if (type === 'ip') return typeof value === 'string' && isIP(value) !== 0
  return typeof value === type
}

function isDictionary(value: unknown): value is Dictionary {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
