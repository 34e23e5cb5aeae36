/**
 * What a person reads after `npm start`: where it listens, the first key (once), something to paste that works, and
 * how to go on. Plain text; colour only on a terminal.
 */
import type { Started } from './supervise.ts'

export interface BannerOptions {
  readonly colour: boolean
  readonly version: string
  /** Milliseconds from the start of the process. */
  readonly tookMs: number
}

interface Ink {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly accent: (text: string) => string
  readonly warn: (text: string) => string
}

function inkOf(colour: boolean): Ink {
  const wrap = (code: string) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  return { bold: wrap('1'), dim: wrap('2'), accent: wrap('36'), warn: wrap('33') }
}

const keyPlaceholder = '<your API key>'

/** The text of the banner. */
export function banner(started: Started, options: BannerOptions): string {
  const ink = inkOf(options.colour)
  const { welcome, dataUrls } = started
  const plain = dataUrls.find((url) => url.startsWith('http://')) ?? dataUrls[0] ?? ''
  const model = welcome.sandbox ? 'sandbox' : '<model>'
  const key = welcome.apiKey ?? keyPlaceholder
  const lines = [
    '',
    `  ${ink.bold('Gatewright')} ${options.version} ${ink.dim(`is ready after ${(options.tookMs / 1000).toFixed(1)} s`)}`,
    '',
    `  ${ink.dim('Data plane    ')} ${dataUrls.join('   ')}`,
    `  ${ink.dim('Control plane ')} ${welcome.controlUrls.join('   ')}`,
  ]
  if (welcome.authorityFile !== null) lines.push(`  ${ink.dim('Local CA      ')} ${welcome.authorityFile}`)
  if (welcome.apiKey !== null) {
    lines.push(
      '',
      `  ${ink.bold('Your first API key')} ${ink.dim('(shown once; keep it)')}`,
      `  ${ink.accent(welcome.apiKey)}`,
    )
  }
  if (welcome.setupPath !== null) {
    const origin =
      welcome.controlUrls.find((url) => url.startsWith('http://')) ?? welcome.controlUrls[0] ?? ''
    lines.push(
      '',
      `  ${ink.bold('Become administrator')} ${ink.dim('(single use, 15 minutes)')}`,
      `  ${ink.accent(origin + welcome.setupPath)}`,
    )
  }
  lines.push(
    '',
    `  ${ink.bold('Try it')}`,
    ...indent(curlExample(plain, key, model)),
    '',
    `  ${ink.bold('From code')} ${ink.dim('(npm install openai)')}`,
  )
  lines.push(...indent(sdkExample(plain, key, model)), '', ...providerLines(started, ink))
  for (const warning of welcome.warnings) lines.push(`  ${ink.warn(`! ${warning}`)}`)
  return `${lines.join('\n')}\n`
}

function indent(text: string): string[] {
  return text.split('\n').map((line) => `    ${line}`)
}

/** A request that works as printed. */
export function curlExample(origin: string, key: string, model: string): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] })
  return [
    `curl ${origin}/v1/chat/completions \\`,
    `  -H 'authorization: Bearer ${key}' \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '${body}'`,
  ].join('\n')
}

/** Five lines with the official SDK that work as printed. */
export function sdkExample(origin: string, key: string, model: string): string {
  return [
    `import OpenAI from 'openai'`,
    `const client = new OpenAI({ baseURL: '${origin}/v1', apiKey: '${key}' })`,
    `const stream = await client.chat.completions.create({`,
    `  model: '${model}', stream: true, messages: [{ role: 'user', content: 'Hello' }] })`,
    `for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? '')`,
  ].join('\n')
}

function providerLines(started: Started, ink: Ink): string[] {
  const { environmentDeployments, sandbox } = started.welcome
  if (environmentDeployments.length > 0) {
    return [`  ${ink.bold('Providers')} from the environment: ${environmentDeployments.join(', ')}`, '']
  }
  const lines = sandbox
    ? [`  The built-in ${ink.bold('sandbox')} model answers until a provider is added:`]
    : ['  Add a provider:']
  lines.push(
    '    set OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY (Azure and Bedrock too) and start again,',
    '    or run: npx gatewright providers add --help',
    '',
  )
  return lines
}
