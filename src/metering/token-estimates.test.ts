import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import * as cl100kReference from 'gpt-tokenizer/encoding/cl100k_base'
import * as o200kReference from 'gpt-tokenizer/encoding/o200k_base'
import { noUsage } from '../domain/usage.ts'
import { type SampleName, sampleTexts } from './harness/sample-texts.ts'
import { estimateTokens, loadTokenizer, type MeteredModel, observeInputTokens } from './index.ts'
import { tokenEstimateErrors } from './token-calibration.ts'
import { TokenCounter } from './token-counter.ts'
import { loadVocabulary } from './vocabulary.ts'

const gpt5: MeteredModel = { provider: 'openai', model: 'gpt-5' }
const gpt4: MeteredModel = { provider: 'openai', model: 'gpt-4-0613' }

/** What the models would count, by the tokenizers that their makers published. */
const published: Readonly<Record<string, { model: MeteredModel; tokens: Record<SampleName, number> }>> = {
  claude2: {
    model: { provider: 'anthropic', model: 'claude-sonnet-4-5' },
    tokens: {
      prose: 149,
      code: 248,
      json: 200,
      german: 135,
      russian: 213,
      chinese: 199,
      japanese: 173,
      korean: 146,
      emoji: 123,
    },
  },
  gemma3: {
    model: { provider: 'gemini', model: 'gemini-3-pro' },
    tokens: {
      prose: 146,
      code: 264,
      json: 232,
      german: 99,
      russian: 112,
      chinese: 108,
      japanese: 95,
      korean: 80,
      emoji: 71,
    },
  },
  deepseek3: {
    model: { provider: 'deepseek', model: 'deepseek-chat' },
    tokens: {
      prose: 146,
      code: 230,
      json: 206,
      german: 117,
      russian: 144,
      chinese: 91,
      japanese: 115,
      korean: 93,
      emoji: 99,
    },
  },
  llama3: {
    model: { provider: 'groq', model: 'llama-3.3-70b-versatile' },
    tokens: {
      prose: 146,
      code: 222,
      json: 193,
      german: 121,
      russian: 133,
      chinese: 140,
      japanese: 116,
      korean: 86,
      emoji: 123,
    },
  },
  qwen3: {
    model: { provider: 'together', model: 'Qwen/Qwen3-32B' },
    tokens: {
      prose: 146,
      code: 222,
      json: 225,
      german: 119,
      russian: 147,
      chinese: 99,
      japanese: 107,
      korean: 100,
      emoji: 84,
    },
  },
}

function within(share: number, [actual, expected]: readonly [number, number], what: string): void {
  assert.ok(Math.abs(actual - expected) <= share * expected, `${what}: ${actual} for ${expected}`)
}

function repeated(text: string, chars: number): string {
  return text.repeat(Math.ceil(chars / text.length)).slice(0, chars)
}

test('until a vocabulary is loaded, estimates go by script, and nobody waits', () => {
  for (const [name, text] of Object.entries(sampleTexts)) {
    const tokens = estimateTokens(text, gpt5)
    within(0.5, [tokens, o200kReference.countTokens(text)], `${name} without the vocabulary`)
  }
})

test('models with a public tokenizer are counted exactly', async () => {
  await Promise.all([loadTokenizer(gpt5), loadTokenizer(gpt4)])
  assert.equal(estimateTokens('tiktoken is great!', gpt5), 6)
  assert.equal(estimateTokens('antidisestablishmentarianism', gpt4), 6)
  assert.equal(estimateTokens('', gpt5), 0)
  for (const [name, text] of Object.entries(sampleTexts)) {
    assert.equal(estimateTokens(text, gpt5), o200kReference.countTokens(text), `o200k_base ${name}`)
    assert.equal(estimateTokens(text, gpt4), cl100kReference.countTokens(text), `cl100k_base ${name}`)
  }
  assert.equal(estimateTokens('<|endoftext|>', gpt5), 7, 'the name of a special token is text')
})

test('counts are those of the reference for any text', async () => {
  const o200k = new TokenCounter(await loadVocabulary('o200k_base'))
  const cl100k = new TokenCounter(await loadVocabulary('cl100k_base'))
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({
      unit: fc.constantFrom('a', 'B', ' ', '\n', "'", 's', '1', '.', '漢', 'é', '\u0301', '\ud83d'),
      maxLength: 80,
    }),
    fc.string({ unit: 'grapheme', maxLength: 40 }),
  )
  const plain = { disallowedSpecial: new Set<string>() }
  fc.assert(
    fc.property(text, (one) => {
      assert.equal(o200k.count(one), o200kReference.countTokens(one, plain))
      assert.equal(cl100k.count(one), cl100kReference.countTokens(one, plain))
    }),
    { numRuns: 500 },
  )
})

test('long texts are estimated from a sample within 6 %', async () => {
  await loadTokenizer(gpt5)
  const paragraphs = Object.values(sampleTexts).join('\n')
  for (const [name, text] of Object.entries({ ...sampleTexts, paragraphs })) {
    const long = repeated(`${text}\n`, 150_000)
    within(0.06, [estimateTokens(long, gpt5), o200kReference.countTokens(long)], name)
  }
  const half = repeated(sampleTexts.prose, 40_000) + repeated(sampleTexts.chinese, 40_000)
  within(0.06, [estimateTokens(half, gpt5), o200kReference.countTokens(half)], 'two scripts')
})

test('texts of a megabyte are estimated from a sample, too, whatever their scripts are', async () => {
  await loadTokenizer(gpt5)
  const counter = new TokenCounter(await loadVocabulary('o200k_base'))
  const { prose, chinese, emoji } = sampleTexts
  for (const [name, parts] of Object.entries({ halves: [prose, chinese], third: [prose, chinese, emoji] })) {
    const text = parts.map((part) => repeated(part, 900_000 / parts.length)).join('\n')
    const expected = parts.reduce(
      (sum, part) => sum + counter.count(part) * (900_000 / parts.length / part.length),
      0,
    )
    within(0.06, [estimateTokens(text, gpt5), expected], name)
  }
})

test('models without a public tokenizer are within a quarter of what their makers’ tokenizers count', async () => {
  await loadTokenizer(gpt5)
  for (const [family, { model, tokens }] of Object.entries(published)) {
    for (const [name, text] of Object.entries(sampleTexts)) {
      const expected = tokens[name as SampleName]
      within(0.25, [estimateTokens(text, model), expected], `${family} ${name}`)
    }
  }
})

test('no text takes long, however it is made', async () => {
  await loadTokenizer(gpt5)
  const megabyte = 1_000_000
  const shapes = {
    letters: 'a',
    capitals: 'A',
    spaces: ' ',
    'line breaks': ' \n',
    punctuation: '!',
    'one Chinese word': '今天天气很好我们去公园散步吧然后吃饭',
    marks: 'A\u0301',
    joiners: '\u200d',
    'spaces before words': `${' '.repeat(200)}x`,
    'random letters': Buffer.from(
      Array.from({ length: 3000 }, (_, at) => (at * 2_654_435_761) >>> 9),
    ).toString('hex'),
  }
  const counter = new TokenCounter(await loadVocabulary('o200k_base'))
  for (const [name, unit] of Object.entries(shapes)) {
    const text = repeated(unit, megabyte)
    let begun = performance.now()
    estimateTokens(text, gpt5)
    // Some 5 ms on a quiet machine; quadratic counting of the sample alone would take longer than the bound.
    assert.ok(performance.now() - begun < 150, `an estimate of a megabyte of ${name}`)
    begun = performance.now()
    counter.count(text.slice(0, megabyte / 5))
    // Quadratic: minutes.
    assert.ok(performance.now() - begun < 2000, `counting 200 KB of ${name}`)
  }
})

test('a vocabulary takes less than 5 MB', async () => {
  for (const name of ['o200k_base', 'cl100k_base'] as const) {
    const { bytes, starts, slots } = await loadVocabulary(name)
    const held = bytes.buffer.byteLength + starts.buffer.byteLength + slots.buffer.byteLength
    assert.ok(held < 5_000_000, `${name} holds ${held} bytes`)
    const file = fileURLToPath(import.meta.resolve(`gpt-tokenizer/data/${name}.tiktoken`))
    assert.equal(
      starts.length - 1,
      readFileSync(file, 'latin1').trimEnd().split('\n').length,
      'no token is missing',
    )
  }
})

const measured = (inputTokens: number, estimated = false) => ({ ...noUsage, inputTokens, estimated })
const errorOf = (model: MeteredModel) => tokenEstimateErrors().find((one) => one.model === model.model)

test('estimates for a model without tokenizer follow what its provider counts', async () => {
  await loadTokenizer(gpt5)
  const model = { provider: 'own', model: 'house-model' }
  const actual = Math.round(estimateTokens(sampleTexts.prose, model) * 1.4)
  for (let exchange = 0; exchange < 60; exchange += 1)
    observeInputTokens(model, estimateTokens(sampleTexts.prose, model), measured(actual))
  within(0.03, [estimateTokens(sampleTexts.prose, model), actual], 'the corrected estimate')
  const error = errorOf(model)
  assert.equal(error?.count, 60)
  within(0.1, [error.ratio, 1], 'the error that is left')
  assert.ok(error.meanError < 0.1)
})

test('a correction is bounded, whatever one caller sends', () => {
  const model = { provider: 'own', model: 'moved-model' }
  const before = estimateTokens(sampleTexts.prose, model)
  for (let exchange = 0; exchange < 500; exchange += 1) observeInputTokens(model, 100, measured(1_000_000))
  within(0.01, [estimateTokens(sampleTexts.prose, model), before * 2], 'twice at most')
  for (let exchange = 0; exchange < 500; exchange += 1) observeInputTokens(model, 1_000_000, measured(100))
  within(0.02, [estimateTokens(sampleTexts.prose, model), before / 2], 'half at least')
})

test('exact counts are compared, and not corrected', () => {
  const model = { provider: 'openai', model: 'gpt-5-nano' }
  for (let exchange = 0; exchange < 20; exchange += 1) observeInputTokens(model, 100, measured(150))
  assert.equal(estimateTokens(sampleTexts.prose, model), estimateTokens(sampleTexts.prose, gpt5))
  within(0.01, [errorOf(model)?.ratio ?? 0, 1.5], 'the ratio shows it')
})

test('figures that are estimates, and inputs of a few tokens, teach nothing', () => {
  const model = { provider: 'own', model: 'silent-model' }
  observeInputTokens(model, 100, measured(900, true))
  observeInputTokens(model, 4, measured(900))
  observeInputTokens(model, 900, measured(4))
  assert.equal(errorOf(model), undefined)
})

test('the models that are compared are bounded', () => {
  for (let at = 0; at < 2000; at += 1)
    observeInputTokens({ provider: 'own', model: `m-${at}` }, 100, measured(110))
  const names = tokenEstimateErrors().map(({ model }) => model)
  assert.equal(names.length, 512)
  assert.ok(names.includes('m-1999') && !names.includes('m-0'))
})
