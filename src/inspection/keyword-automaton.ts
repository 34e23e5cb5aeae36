/**
 * All keywords in one pass (Aho and Corasick, 1975), ASCII letters in any case. One table look-up per character,
 * whatever the number of keywords; the table is built once per thread.
 */

export interface KeywordAutomaton {
  /** Calls `found` for each keyword that ends at or after `from`, in the order of their ends. @returns the length of the longest beginning of a keyword at the end of `text` */
  run(text: string, from: number, found: (keyword: number, start: number) => void): number
}

interface Trie {
  readonly next: Map<number, number>[]
  readonly ends: number[][]
  readonly depths: number[]
}

export function createKeywordAutomaton(keywords: readonly string[]): KeywordAutomaton {
  const lower = keywords.map((keyword) => keyword.toLowerCase())
  const classes = classesOf(lower)
  const width = Math.max(...classes) + 1
  const trie = trieOf(lower, classes)
  const table = tableOf(trie, width)
  const { ends, depths } = trie
  const hasEnds = new Uint8Array(table.length)
  for (const [state, list] of ends.entries()) hasEnds[state * width] = list.length > 0 ? 1 : 0
  return {
    run(text, from, found) {
      // A row of the table begins at `row`: a state's number times the width.
      let row = 0
      for (let at = from; at < text.length; at += 1) {
        const code = text.charCodeAt(at)
        row = code < 128 ? (table[row + (classes[code] as number)] as number) : 0
        if (hasEnds[row] === 0) continue
        for (const keyword of ends[row / width] ?? []) found(keyword, at + 1 - (lower[keyword]?.length ?? 0))
      }
      return depths[row / width] ?? 0
    },
  }
}

/** Class of each ASCII character; 0: it is in no keyword. */
function classesOf(lower: readonly string[]): Uint8Array {
  const classes = new Uint8Array(128)
  let count = 0
  for (const keyword of lower)
    for (let at = 0; at < keyword.length; at += 1) {
      const code = keyword.charCodeAt(at)
      if (classes[code] !== 0) continue
      count += 1
      classes[code] = count
      if (code >= 0x61 && code <= 0x7a) classes[code - 0x20] = count
    }
  return classes
}

function trieOf(lower: readonly string[], classes: Uint8Array): Trie {
  const trie: Trie = { next: [new Map()], ends: [[]], depths: [0] }
  for (const [index, keyword] of lower.entries()) {
    let state = 0
    for (let at = 0; at < keyword.length; at += 1) {
      const symbol = classes[keyword.charCodeAt(at)] ?? 0
      let next = trie.next[state]?.get(symbol)
      if (next === undefined) {
        next = trie.next.length
        trie.next.push(new Map())
        trie.ends.push([])
        trie.depths.push(at + 1)
        trie.next[state]?.set(symbol, next)
      }
      state = next
    }
    trie.ends[state]?.push(index)
  }
  return trie
}

/** Rows by state. Breadth first: what a state lacks is taken from the state of its longest proper suffix. */
function tableOf({ next, ends }: Trie, width: number): Uint32Array {
  const table = new Uint32Array(next.length * width)
  const suffixes = new Uint32Array(next.length)
  const queue = [0]
  for (let head = 0; head < queue.length; head += 1) {
    const state = queue[head] ?? 0
    const suffix = suffixes[state] ?? 0
    for (let symbol = 0; symbol < width; symbol += 1) {
      const inherited = state === 0 ? 0 : (table[suffix * width + symbol] ?? 0)
      const child = next[state]?.get(symbol)
      table[state * width + symbol] = child === undefined ? inherited : child * width
      if (child === undefined) continue
      suffixes[child] = inherited / width
      ends[child]?.push(...(ends[inherited / width] ?? []))
      queue.push(child)
    }
  }
  return table
}
