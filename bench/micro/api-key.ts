/** Cost of proving an API key: reading its text, verifying it cold and warm, refusing who guesses, source networks. Prints ns of CPU per call. */
import { randomBytes } from 'node:crypto'
import { WrongKeys } from '../../src/gateway/wrong-keys.ts'
import {
  compileCidrs,
  compilePeppers,
  createKeyProof,
  digestKeyText,
  hashApiKey,
  mintApiKey,
  mintApiKeySecret,
  parseApiKey,
  verifyApiKey,
} from '../../src/identity/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'

const rounds = 200_000

function measure(name: string, targetNs: number, work: (index: number) => boolean): void {
  let hits = 0
  for (let index = 0; index < rounds / 4; index += 1) if (work(index)) hits += 1
  const start = process.threadCpuUsage()
  for (let index = 0; index < rounds; index += 1) if (work(index)) hits += 1
  const spent = process.threadCpuUsage(start)
  const each = ((spent.user + spent.system) * 1000) / rounds
  const verdict = each <= targetNs ? 'ok' : 'SLOW'
  process.stdout.write(
    `${name.padEnd(34)} ${each.toFixed(0).padStart(6)} ns  target ${targetNs} ns  ${verdict}  (${hits})\n`,
  )
}

const peppers = compilePeppers({ '1': randomBytes(32).toString('base64') })
const pepper = peppers.get(1)
if (pepper === undefined) throw new Error('no pepper')
const texts = Array.from({ length: 1024 }, () => mintApiKey('live'))
const keys = texts.map(({ text, keyId }) => {
  const second = hashApiKey(mintApiKeySecret('live', keyId), pepper)
  const secrets = [second, hashApiKey(text, pepper)].map((hash) => ({
    hash,
    pepperVersion: 1,
    expiresAt: null,
  }))
  return { secrets }
})
const now = Date.now()
const textAt = (index: number): string => texts[index & 1023]?.text ?? ''
const junk = Array.from({ length: 1024 }, (_, index) => `${textAt(index).slice(0, -1)}!`)
const inNetwork = compileCidrs(['10.0.0.0/8', '192.168.0.0/16', '2001:db8::/32', '172.16.0.0/12'])
const addresses = ['10.1.2.3', '::ffff:172.16.9.1', '2001:db8:1:2:3:4:5:6', '8.8.8.8']

measure('parse a well-formed key', 500, (index) => parseApiKey(textAt(index)) !== null)
measure('refuse junk', 500, (index) => parseApiKey(junk[index & 1023] ?? '') !== null)
measure('verify (parse, HMAC, 2 secrets)', 5000, (index) => {
  const key = keys[index & 1023]
  const text = textAt(index)
  return parseApiKey(text) !== null && key !== undefined && verifyApiKey(text, key, { peppers, now })
})
const terms = { peppers, now }
const proofs = keys.map((key, index) => {
  const proof = createKeyProof(key)
  proof.proves(textAt(index), digestKeyText(textAt(index)), terms)
  return proof
})
measure('verify warm (parse, digest)', 5000, (index) => {
  const text = textAt(index)
  return parseApiKey(text) !== null && proofs[index & 1023]?.recalls(digestKeyText(text), terms) === true
})
const wrongKeys = new WrongKeys(systemClock)
const fifty = Array.from({ length: 50 }, (_, index) => `203.0.113.${index}`)
for (const address of fifty)
  for (let at = 0; at < 600; at += 1) wrongKeys.add({ address, digest: `${address} ${at}`, perMinute: 60 })
measure('refuse a guesser, with the fault', 20_000, (index) => {
  const text = textAt(index)
  if (parseApiKey(text) === null) return false
  const digest = digestKeyText(text)
  if (proofs[(index + 1) & 1023]?.recalls(digest, terms) === true) return false
  try {
    wrongKeys.admit({ address: fifty[index % 50] ?? '', digest, perMinute: 60 })
    return false
  } catch {
    return true
  }
})
measure('match 4 source networks', 500, (index) => inNetwork(addresses[index & 3] ?? ''))
