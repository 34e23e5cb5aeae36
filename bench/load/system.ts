/** What every measured gateway offers to a measurement. */
import type { Endpoint } from './call.ts'

export const systemNames = [
  'direct',
  'nginx',
  'portkey',
  'bare',
  'shipped',
  'limited',
  'nginx-tls',
  'shipped-tls',
] as const
export type SystemName = (typeof systemNames)[number]

export interface System {
  readonly name: SystemName
  /** In front of the unary mock. */
  readonly unary: Endpoint
  /** In front of the mock that streams, and reads bodies to their end. */
  readonly stream: Endpoint
  /** The process that is measured; null: there is nothing in between. */
  readonly pid: number | null
}

/** Started systems of one kind, and how to end them. */
export interface Started {
  readonly systems: readonly System[]
  stop(): Promise<void>
}

/** Ports of the two mocks. */
export interface Mocks {
  readonly unaryPort: number
  readonly streamPort: number
}

/** A certificate for 127.0.0.1 and the authority to check it with, PEM. */
export interface BenchCertificate {
  readonly authority: string
  readonly certificate: string
  readonly privateKey: string
}

export const chatPath = '/v1/chat/completions'
/** The credential that the mocks are given; they do not look at it. */
export const mockCredential = 'sk-bench-0123456789abcdef0123456789'
