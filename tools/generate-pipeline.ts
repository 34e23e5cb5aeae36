// Writes docs/reference/pipeline.md and docs/reference/operations.md from the tables of the code.

import { operations } from '../src/domain/operations.ts'
import { pipeline } from '../src/gateway/pipeline.ts'
import { writeGenerated } from './write-generated.ts'

const classes = ['G', 'U', 'M', 'P', 'H']
const stageRows = pipeline.map((stage, index) => {
  const marks = classes.map((letter) => (stage.classes.includes(letter) ? '●' : '·'))
  return `| ${index + 1} | \`${stage.name}\` | ${marks.join(' | ')} | ${stage.phase} | ${stage.onError} | ${stage.does} |`
})

writeGenerated(
  'docs/reference/pipeline.md',
  [
    '<!-- Generated from src/gateway/pipeline.ts by npm run generate. -->',
    '# The pipeline',
    '',
    'What happens to a request, in order, by traffic class: **G** generation (chat, responses, messages, Gemini) ·',
    '**U** unary JSON with a model · **M** model listing · **P** pass-through (images, audio, files, batches) ·',
    '**H** health. Every stage says what an error in it means: `deny` ends the exchange with an error in the shape of',
    "the caller's surface; `allow` skips the stage. Finish stages run exactly once, however the exchange ends:",
    'completed, refused, failed, or because the caller went away.',
    '',
    `| | stage | ${classes.join(' | ')} | phase | on error | what it does |`,
    `|---|---|${classes.map(() => '---|').join('')}---|---|---|`,
    ...stageRows,
    '',
  ].join('\n'),
)

const operationRows = operations.map(
  ({ id, trafficClass, method, path, dialect, stream, title }) =>
    `| \`${id}\` | ${trafficClass} | \`${method} ${path}\` | ${dialect ?? ''} | ${stream === 'never' ? '' : 'yes'} | ${title} |`,
)
writeGenerated(
  'docs/reference/operations.md',
  [
    '<!-- Generated from src/domain/operations.ts by npm run generate. -->',
    '# Operations of the data plane',
    '',
    'The ids are what products, plans and key scopes name. The class refers to the [pipeline](pipeline.md).',
    '',
    '| id | class | method and path | dialect | streams | |',
    '|---|---|---|---|---|---|',
    ...operationRows,
    '',
  ].join('\n'),
)
