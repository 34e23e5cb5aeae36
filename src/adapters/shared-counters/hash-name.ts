/**
 * HalfSipHash-2-4 (Aumasson and Bernstein) over the UTF-16 units of a text, twice under two keys: 128 bits. Keyed,
 * because callers name what is counted: nobody can choose names that meet in one bucket. Two names of one hash would
 * count together; with 2^17 names the chance is below 2^-94.
 */

/** Hash `text` under words `key[0..3]` into `out[0..3]`. */
export function hashName(text: string, key: Int32Array, out: Int32Array): void {
  halfSipHash(text, [key[0] ?? 0, key[1] ?? 0], out.subarray(0, 2))
  halfSipHash(text, [key[2] ?? 0, key[3] ?? 0], out.subarray(2, 4))
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

class State {
  a: number
  b: number
  c: number
  d: number

  constructor(k0: number, k1: number) {
    this.a = k0
    this.b = k1 ^ 0xee
    this.c = k0 ^ 0x6c796765
    this.d = k1 ^ 0x74656462
  }

  round(): void {
    this.a = (this.a + this.b) | 0
    this.b = rotate(this.b, 5) ^ this.a
    this.a = rotate(this.a, 16)
    this.c = (this.c + this.d) | 0
    this.d = rotate(this.d, 8) ^ this.c
    this.a = (this.a + this.d) | 0
    this.d = rotate(this.d, 7) ^ this.a
    this.c = (this.c + this.b) | 0
    this.b = rotate(this.b, 13) ^ this.c
    this.c = rotate(this.c, 16)
  }

  absorb(word: number): void {
    this.d ^= word
    this.round()
    this.round()
    this.a ^= word
  }

  finish(mark: number): number {
    if (mark === 0xee) this.c ^= mark
    else this.b ^= mark
    for (let turn = 0; turn < 4; turn += 1) this.round()
    return this.b ^ this.d
  }
}

function halfSipHash(text: string, key: readonly [number, number], out: Int32Array): void {
  const state = new State(key[0], key[1])
  const even = text.length & ~1
  for (let place = 0; place < even; place += 2) {
    state.absorb(text.charCodeAt(place) | (text.charCodeAt(place + 1) << 16))
  }
  const tail = text.length > even ? text.charCodeAt(even) : 0
  // The length closes the text, as in the original: texts that differ only in trailing zeros differ here.
  state.absorb(tail)
  state.absorb(text.length)
  out[0] = state.finish(0xee)
  out[1] = state.finish(0xdd)
}
