// Writes one page per public error, docs/errors/<code>.md, and their index, from src/faults/catalogue.ts.

import { catalogue } from '../src/faults/catalogue.ts'
import { writeGenerated } from './write-generated.ts'

const note = '<!-- Generated from src/faults/catalogue.ts by npm run generate. -->'

for (const fault of catalogue) {
  writeGenerated(
    `docs/errors/${fault.code}.md`,
    [
      note,
      `# ${fault.code}`,
      '',
      `| HTTP status | Kind |`,
      `|---|---|`,
      `| ${fault.status} | ${fault.kind} |`,
      '',
      `> ${fault.text}`,
      '',
      '## What to do',
      fault.remedy,
      '',
    ].join('\n'),
  )
}

const rows = catalogue.map(
  (fault) => `| [\`${fault.code}\`](${fault.code}.md) | ${fault.status} | ${fault.text} |`,
)
writeGenerated(
  'docs/errors/README.md',
  [
    note,
    '# Errors',
    '',
    'Every error that Gatewright gives, by its stable code. The body has the shape of the surface that was called',
    '(OpenAI, Anthropic, Gemini, or the admin API) and always carries the code, the public text, the request id and a',
    'link to one of these pages.',
    '',
    '| code | status | text |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n'),
)
