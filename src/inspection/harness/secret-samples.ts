/** Secrets of every kind, made when a test runs: none stands in a file, where scanners of repositories would find it. */
import { crc32 } from 'node:zlib'
import { bitsOf, isIn } from '../secrets/character-class.ts'
import type { ClassPart, SecretRule } from '../secrets/secret-rule.ts'

/** Reproducible numbers in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const ascii = Array.from({ length: 127 }, (_, code) => String.fromCharCode(code))

/** Letters and digits first: what a class has besides them ends or splits some secrets. */
function charactersOf(bits: number): readonly string[] {
  const all = ascii.filter((each) => isIn(each, 0, bits))
  const plain = all.filter((each) => isIn(each, 0, bitsOf.alnum))
  return plain.length >= 8 ? plain : all
}

export function randomValue(bits: number, length: number, random: () => number): string {
  const characters = charactersOf(bits)
  return Array.from({ length }, () => characters[Math.floor(random() * characters.length)] ?? '').join('')
}

/** Longer than it must be where it may be. */
function lengthOf({ tail }: SecretRule, { min, max }: ClassPart): number {
  if (tail !== null) return min + 8
  return max > min ? Math.max(min, 12) : min
}

/** A secret of the rule. `missing` characters of its value are left out. */
export function sampleOf(rule: SecretRule, random: () => number, missing = 0): string {
  let text = rule.keyword
  for (const part of rule.parts) {
    if ('literal' in part) text += part.literal
    else if (part.isValue) text += randomValue(part.bits, lengthOf(rule, part) - missing, random)
    else if (part.bits === bitsOf.assign) text += '="'
    else if (part.bits === bitsOf.breaks) text += '\n'
    else text += randomValue(part.bits, part.min, random)
  }
  return text
}

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** A token of GitHub or npm that is true to its checksum. */
export function checkedToken(prefix: string, random: () => number): string {
  const body = randomValue(bitsOf.alnum, 30, random)
  let rest = crc32(body)
  let check = ''
  for (let digit = 0; digit < 6; digit += 1) {
    check = `${base62[rest % 62] ?? ''}${check}`
    rest = Math.floor(rest / 62)
  }
  return `${prefix}${body}${check}`
}
