// Writes docs/reference/downgrades.md: what may be left out on the way to another dialect, from src/providers/droppable.ts.

import { dialectIds } from '../src/domain/dialect-id.ts'
import {
  type DroppableFields,
  type DroppableRule,
  droppable,
  type NativeLevel,
} from '../src/providers/droppable.ts'
import { writeGenerated } from './write-generated.ts'

const levels: Readonly<Record<NativeLevel, string>> = {
  request: 'request',
  message: 'message or item',
  part: 'content part',
  tool: 'tool',
  reasoning: 'reasoning option',
}

function describe(rule: DroppableRule): string {
  if (rule === null) return 'carried by another field'
  if (typeof rule === 'string') return rule
  if ('inside' in rule) return ''
  const neutral = `\`${JSON.stringify(rule.only)}\` asks for nothing and is left out`
  return rule.otherwise === undefined
    ? `${neutral}; anything else is refused`
    : `${neutral}; otherwise: ${rule.otherwise}`
}

function* rowsOf(fields: DroppableFields, place: string): Generator<string> {
  for (const [field, rule] of Object.entries(fields)) {
    const path = place === '' ? field : `${place}.${field}`
    if (rule !== null && typeof rule === 'object' && 'inside' in rule) yield* rowsOf(rule.inside, path)
    else if (rule !== null) yield `| \`${path}\` | ${describe(rule)} |`
  }
}

const sections = dialectIds.flatMap((dialect) => {
  const tables = (Object.keys(levels) as NativeLevel[]).flatMap((level) => {
    const rows = [...rowsOf(droppable[dialect][level], '')].sort()
    return rows.length === 0
      ? []
      : [`### ${levels[level]}`, '', '| field | what happens |', '|---|---|', ...rows, '']
  })
  return [`## From ${dialect}`, '', ...(tables.length === 0 ? ['Nothing is left out.', ''] : tables)]
})

writeGenerated(
  'docs/reference/downgrades.md',
  [
    '<!-- Generated from src/providers/droppable.ts by npm run generate. -->',
    '# Downgrades',
    '',
    'Fields that only one dialect has, and that may be left out when a request goes to a model of another dialect. Each',
    'one that is left out is named in the header `x-gatewright-downgrades` of the answer. A field of the dialect that is',
    'neither carried nor listed here is refused: `400 dialect.cannot-express`, naming it. See the',
    '[guide](../guides/dialects.md).',
    '',
    ...sections,
  ].join('\n'),
)
