import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { DialectId } from '../../domain/dialect-id.ts'
import type { DeploymentSnapshot } from '../../domain/snapshot.ts'
import { Fault } from '../../kernel/fault.ts'
import type { AuthPorts } from '../auth/authorize.ts'
import { createCatalogue } from './catalogue.ts'
import { type CompiledDeployment, compileDeployment } from './compile-deployment.ts'
import { compileProvider } from './compile-provider.ts'
import { readEnvironment } from './read-environment.ts'
import { providerRows } from './rows.ts'

const catalogue = createCatalogue()
const ports: AuthPorts = { now: () => 0, fetchToken: (_form, done) => done('offline', 0, '') }

function compile(providerId: string, rest: Partial<DeploymentSnapshot> = {}): CompiledDeployment {
  const provider = catalogue.find(providerId)
  assert.ok(provider !== undefined, providerId)
  return compileDeployment(provider, snapshot(providerId, rest), ports)
}

function snapshot(providerId: string, rest: Partial<DeploymentSnapshot>): DeploymentSnapshot {
  return {
    id: 'dep_1',
    slug: providerId,
    organizationId: 'org_1',
    providerId,
    baseUrl: null,
    dialect: null,
    region: null,
    settings: {},
    secrets: { apiKey: 'secret' },
    allowPrivateNetwork: false,
    timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1, totalMs: 1 },
    ...rest,
  }
}

const minimal = {
  id: 'acme',
  name: 'Acme',
  baseUrl: 'https://llm.acme.example/v1',
  dialect: 'openai-chat',
  auth: { kind: 'bearer' },
  paths: { 'chat.completions': '/chat/completions' },
} as const

test('every vendor of the list has a row', () => {
  const wanted = [
    ...['openai', 'azure-openai', 'azure-openai-deployments', 'anthropic', 'gemini', 'vertex', 'bedrock'],
    ...['mistral', 'cohere', 'groq', 'together', 'fireworks', 'deepseek', 'xai', 'openrouter', 'perplexity'],
    ...['nvidia-nim', 'vllm', 'ollama', 'lm-studio', 'openai-compatible', 'sandbox'],
  ]
  for (const id of wanted) assert.ok(catalogue.find(id) !== undefined, id)
})

test('every row compiles to a deployment when it gets its settings and a credential', () => {
  const secrets = { apiKey: 'k' }
  const settings = { resource: 'my-resource', project: 'my-project' }
  for (const provider of catalogue.list) {
    if (provider.auth.kind === 'google-oauth') continue
    const compiled = compileDeployment(
      provider,
      snapshot(provider.id, {
        secrets,
        settings,
        region: 'us-east-1',
        baseUrl: provider.baseUrl === null ? 'https://llm.example/v1' : null,
        allowPrivateNetwork: provider.privateNetwork,
      }),
      ports,
    )
    assert.match(compiled.generationPath(provider.dialect, 'm', false) ?? '', /^\/[!-~]+$/, provider.id)
    assert.match(compiled.generationPath(provider.dialect, 'm', true) ?? '', /^\/[!-~]+$/, provider.id)
  }
})

test('a vendor given as plain JSON works through the same function, without code', () => {
  const json: unknown = JSON.parse(JSON.stringify(minimal))
  const provider = createCatalogue([json]).find('acme')
  assert.ok(provider !== undefined)
  const compiled = compileDeployment(provider, snapshot('acme', {}), ports)
  assert.equal(compiled.origin.host, 'llm.acme.example')
  assert.equal(compiled.pathFor('chat.completions', 'm', true), '/v1/chat/completions')
  compiled.authorize(
    { method: 'POST', host: '', path: '', contentType: '', body: null },
    (failure, headers) => {
      assert.equal(failure, null)
      assert.deepEqual(headers, ['authorization', 'Bearer secret'])
    },
  )
})

test('the built-in rows survive JSON, so that configuration can say all that the catalogue says', () => {
  for (const row of providerRows) {
    assert.deepEqual(compileProvider(JSON.parse(JSON.stringify(row))), catalogue.find(row.id))
  }
})

test('a row that is not valid is refused with the provider and the field', () => {
  const refusals: readonly (readonly [Record<string, unknown>, RegExp])[] = [
    [{ ...minimal, color: 'red' }, /provider acme has the unknown key color/],
    [{ ...minimal, id: 'Acme!' }, /provider id/],
    [{ ...minimal, dialect: 'cobol' }, /dialect must be one of/],
    [{ ...minimal, auth: { kind: 'bearer', header: 'x' } }, /auth has the unknown key header/],
    [{ ...minimal, auth: { kind: 'basic' } }, /auth.kind/],
    [{ ...minimal, auth: { kind: 'toString' } }, /auth.kind/],
    [{ ...minimal, auth: { kind: 'header', header: 'X Key' } }, /auth.header/],
    [{ ...minimal, paths: { 'chat.everything': '/x' } }, /unknown operation chat.everything/],
    [{ ...minimal, paths: { embeddings: '/embeddings' } }, /paths lacks chat.completions/],
    [{ ...minimal, paths: { 'chat.completions': 'chat' } }, /must begin with \//],
    [{ ...minimal, paths: { 'chat.completions': '/../admin' } }, /dot segments/],
    [{ ...minimal, paths: { 'chat.completions': '/{model}/{model}' } }, /more than one/],
    [{ ...minimal, paths: { 'chat.completions': '/a b' } }, /characters/],
    [{ ...minimal, headers: { authorization: 'Bearer x' } }, /may not be set by a row/],
    [{ ...minimal, headers: { 'x-a': 'a\r\nb: c' } }, /characters that a header cannot carry/],
    [{ ...minimal, forwardHeaders: ['authorization'] }, /may not be forwarded/],
    [{ ...minimal, forwardHeaders: ['cookie'] }, /may not be forwarded/],
    [{ ...minimal, quirks: { maxTokensField: 'max' } }, /maxTokensField/],
    [{ ...minimal, modelPatterns: ['a*b'] }, /modelPatterns/],
  ]
  for (const [row, expected] of refusals) {
    assert.throws(
      () => compileProvider(row),
      (err) => err instanceof Fault && err.code === 'config.invalid' && expected.test(err.publicText),
      String(expected),
    )
  }
  assert.throws(() => createCatalogue([minimal, minimal]), /appears twice/)
  assert.throws(() => createCatalogue([{ ...minimal, id: 'openai' }]), /appears twice/)
})

test('Azure has the v1 surface and the dated one', () => {
  const settings = { resource: 'contoso' }
  const v1 = compile('azure-openai', { settings })
  assert.equal(v1.origin.host, 'contoso.openai.azure.com')
  assert.equal(v1.pathFor('chat.completions', 'gpt', false), '/openai/v1/chat/completions')
  const byEndpoint = compile('azure-openai', { baseUrl: 'https://contoso.cognitiveservices.azure.com/' })
  assert.equal(byEndpoint.pathFor('embeddings', 'e', false), '/openai/v1/embeddings')
  const dated = compile('azure-openai-deployments', { settings })
  assert.equal(
    dated.pathFor('chat.completions', 'my gpt/4', true),
    '/openai/deployments/my%20gpt%2F4/chat/completions?api-version=2024-10-21',
  )
})

test('streaming generation takes its own path where the vendor has one', () => {
  const gemini = compile('gemini')
  assert.equal(
    gemini.pathFor('gemini.generate', 'gemini-x', false),
    '/v1beta/models/gemini-x:generateContent',
  )
  const streaming = '/v1beta/models/gemini-x:streamGenerateContent?alt=sse'
  assert.equal(gemini.pathFor('gemini.stream', 'gemini-x', true), streaming)
  assert.equal(gemini.generationPath('gemini', 'gemini-x', true), streaming)
  const bedrock = compile('bedrock', { region: 'eu-west-1' })
  assert.equal(bedrock.origin.host, 'bedrock-runtime.eu-west-1.amazonaws.com')
  assert.equal(
    bedrock.generationPath('bedrock-converse', 'anthropic.claude-v2:1', true),
    '/model/anthropic.claude-v2%3A1/converse-stream',
  )
})

test('the same dialect is spoken where it is served, else the provider’s own', () => {
  const openai = compile('openai')
  const spoken: readonly (readonly [DialectId, DialectId])[] = [
    ['openai-chat', 'openai-chat'],
    ['openai-responses', 'openai-responses'],
    ['anthropic-messages', 'openai-chat'],
    ['gemini', 'openai-chat'],
  ]
  for (const [caller, upstream] of spoken) assert.equal(openai.dialectFor(caller), upstream)
  const pinned = compile('openai', { dialect: 'openai-responses' })
  assert.equal(pinned.dialectFor('openai-chat'), 'openai-responses')
  assert.throws(() => compile('anthropic', { dialect: 'gemini' }), /no path for the dialect gemini/)
})

test('an operation that the vendor does not serve has no path', () => {
  assert.equal(compile('anthropic').pathFor('embeddings', 'x', false), null)
  assert.equal(compile('anthropic').pathFor('constructor', 'x', false), null)
})

test('the rest of a path keeps its segments and cannot climb', () => {
  const openai = compile('openai')
  assert.equal(openai.pathFor('files.get', 'file-1/content', false), '/v1/files/file-1/content')
  for (const rest of ['..', 'a/../b', '.', '', 'a//b', 'a/', `${'a/'.repeat(20)}a`]) {
    assert.equal(openai.pathFor('files.get', rest, false), null, rest)
  }
})

test('no model name can leave its place in the path', () => {
  const gemini = compile('gemini')
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('..', '.', '../x', 'a?b#c', '%2e%2e')),
      (model) => {
        const path = gemini.pathFor('gemini.generate', model, false)
        if (path === null) return
        assert.match(path, /^\/v1beta\/models\/[A-Za-z0-9_.~!'()*%-]+:generateContent$/)
        assert.equal(new URL(path, 'https://x.example').pathname, path)
      },
    ),
  )
  assert.equal(gemini.pathFor('gemini.generate', '..', false), null)
  assert.equal(gemini.pathFor('gemini.generate', '\ud800', false), null)
  assert.equal(gemini.pathFor('gemini.generate', 'm'.repeat(513), false), null)
})

test('no setting can move the host or the path', () => {
  for (const resource of ['evil.example/', 'a@b', 'a:1', 'a#', 'a?', 'a/b', '', '..', 'a.b']) {
    assert.throws(() => compile('azure-openai', { settings: { resource } }), Fault, resource)
  }
  for (const apiVersion of ['1&x=y', '1#', '1/..', '']) {
    assert.throws(
      () => compile('azure-openai-deployments', { settings: { resource: 'a', apiVersion } }),
      Fault,
      apiVersion,
    )
  }
})

test('a deployment without what it needs is refused by name', () => {
  assert.throws(() => compile('azure-openai'), /settings.resource/)
  assert.throws(() => compile('openai-compatible'), /needs a baseUrl/)
  assert.throws(() => compile('openai', { secrets: {} }), /needs the credential field apiKey/)
  assert.throws(() => compile('vllm'), /allowPrivateNetwork/)
})

test('the environment makes a deployment only when a credential is complete', () => {
  const read = (id: string, environment: Record<string, string>) => {
    const provider = catalogue.find(id)
    assert.ok(provider !== undefined)
    return readEnvironment(provider, environment)
  }
  assert.equal(read('openai', {}), null)
  assert.equal(read('openai', { OPENAI_API_KEY: '  ' }), null)
  assert.deepEqual(read('gemini', { GOOGLE_API_KEY: 'g' })?.secretVariables, { apiKey: 'GOOGLE_API_KEY' })
  assert.equal(read('gemini', { GOOGLE_API_KEY: 'g', GEMINI_API_KEY: 'first' })?.secrets['apiKey'], 'first')
  assert.equal(read('azure-openai', { AZURE_OPENAI_API_KEY: 'k' }), null)
  const azure = read('azure-openai', {
    AZURE_OPENAI_API_KEY: 'k',
    AZURE_OPENAI_ENDPOINT: 'https://a.example',
  })
  assert.equal(azure?.baseUrl, 'https://a.example')
  assert.equal(read('bedrock', { AWS_ACCESS_KEY_ID: 'a', AWS_REGION: 'us-east-1' }), null)
  const keys = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' }
  assert.equal(read('bedrock', keys), null)
  assert.equal(read('bedrock', { ...keys, AWS_REGION: 'us-east-1' })?.region, 'us-east-1')
  assert.equal(
    read('bedrock', { AWS_BEARER_TOKEN_BEDROCK: 't', AWS_REGION: 'us-east-1' })?.secrets['apiKey'],
    't',
  )
  assert.equal(read('ollama', { OLLAMA_BASE_URL: 'http://127.0.0.1:11434/v1' })?.allowPrivateNetwork, true)
  assert.equal(read('sandbox', {}), null)
  const vertex = read('vertex', {
    GOOGLE_APPLICATION_CREDENTIALS: '/keys/sa.json',
    GOOGLE_CLOUD_PROJECT: 'p',
    GOOGLE_CLOUD_LOCATION: 'europe-west4',
  })
  assert.deepEqual(vertex?.secretFiles, { serviceAccount: '/keys/sa.json' })
  assert.deepEqual(vertex?.settings, { project: 'p' })
})
