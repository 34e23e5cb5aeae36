// Writes docs/reference/failure-classes.md: what a failed call to a deployment means, from the table of the code.

import { type FailureClass, failureClasses } from '../src/routing/index.ts'
import { writeGenerated } from './write-generated.ts'

const meaning: Readonly<Record<FailureClass['effect'], string>> = {
  none: 'stays in use',
  'retire-deployment': 'the deployment is out of use until its credential changes or a trial succeeds',
  'retire-target': 'the model is out of use there until the credential changes or a trial succeeds',
  cool: 'out of use for as long as the provider says, else half a second, doubled each time',
  break: 'counts for the circuit breaker',
}

const rows = Object.values(failureClasses).map(
  ({ name, cause, next, again, effect }) =>
    `| \`${name}\` | ${cause} | ${next ? 'yes' : 'no'} | ${again ? 'yes' : 'no'} | ${meaning[effect]} |`,
)

writeGenerated(
  'docs/reference/failure-classes.md',
  [
    '<!-- Generated from src/routing/failure-classes.ts by npm run generate. -->',
    '# What a failed call means',
    '',
    '"Next": another deployment of the route is asked, if one is left and nothing has been sent to the caller. "Again":',
    'the same deployment may be asked in a later round, where the policy of the route has rounds',
    '([guide](../guides/routing.md)).',
    '',
    '| class | cause | next | again | the deployment |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n'),
)
