// Byte-level comparison with Apache's own classes, through one long-lived Java process per release.

import { isDeepStrictEqual } from 'node:util'
import type { Definition } from '../../scripts/protocol-definition.ts'
import { decodeMessage, encodeMessage } from '../../src/protocol/frame.ts'
import type { Message } from '../../src/protocol/schema.ts'
import type { JavaProcess } from '../java/java.ts'
import { type Random, randomMessage } from '../protocol/random-message.ts'
import { kafkaJson } from './kafka-json.ts'
import { randomJson } from './random-json.ts'

/** Classes for which Kafka makes no JSON converters: their bytes are read and written again, and that is all. */
const WITHOUT_JSON = new Set(['SubscriptionInfoData'])

export interface Verdict {
  /** How many messages were judged. */
  readonly messages: number
  /** What differs, in sentences. */
  readonly found: readonly string[]
}

/**
 * Lets Java judge `count` random messages: ours read and written again by Java, their values as JSON, and the same values
 * encoded by Java from JSON. In flexible versions half as many more carry tags that no schema knows, which JSON has no place for.
 */
export async function judge(
  java: JavaProcess,
  message: Message,
  version: number,
  count: number,
  random: Random,
): Promise<Verdict> {
  const found: string[] = []
  const tagged = version >= message.flexible ? count >> 1 : 0
  const items = Array.from({ length: count + tagged }, (_, i) => {
    const unknownTags = i >= count
    const value = randomMessage(random, message, version, { unknownTags, gaps: true })
    const bytes = encodeMessage(message, version, value)
    const decoded = decodeMessage(message, version, bytes)
    if (decoded.end !== bytes.length) found.push(`decoded ${decoded.end} of ${bytes.length} bytes`)
    if (!encodeMessage(message, version, decoded.value).equals(bytes)) found.push('decoded and encoded again it has other bytes')
    if (
      !unknownTags &&
      !isDeepStrictEqual(JSON.parse(kafkaJson(message, version, decoded.value)), JSON.parse(kafkaJson(message, version, value)))
    )
      found.push('decoded it has another value')
    return {
      hex: bytes.toString('hex'),
      ...(!unknownTags && !WITHOUT_JSON.has(message.name) && { json: kafkaJson(message, version, value) }),
    }
  })
  const { problems } = await java.ask<{ problems: [number, string][] }>({ message: message.name, version, items })
  return verdict(message, version, items.length, [...found, ...problems.map(([, text]) => text)])
}

/** Lets Java encode `count` random messages that come from Kafka's definition: we must read the same values and write the same bytes. */
export async function judgeReading(
  java: JavaProcess,
  message: Message,
  definition: Definition,
  version: number,
  count: number,
  random: Random,
): Promise<Verdict> {
  const found: string[] = []
  const make = Array.from({ length: WITHOUT_JSON.has(message.name) ? 0 : count }, () => randomJson(random, definition, version))
  const { made } = await java.ask<{ made: string[] }>({ message: definition.name, version, make })
  for (const [i, json] of make.entries()) {
    const bytes = Buffer.from(made[i]!, 'hex')
    try {
      const { value, end } = decodeMessage(message, version, bytes)
      if (end !== bytes.length) found.push(`read ${end} of ${bytes.length} bytes of ${json}`)
      else if (kafkaJson(message, version, value) !== json) found.push(`read ${kafkaJson(message, version, value)}, not ${json}`)
      else if (!encodeMessage(message, version, value).equals(bytes)) found.push(`read, and written with other bytes: ${json}`)
    } catch (error) {
      found.push(`${(error as Error).message} (${json})`)
    }
  }
  return verdict(message, version, make.length, found)
}

const verdict = (message: Message, version: number, messages: number, found: readonly string[]): Verdict => ({
  messages,
  found: found.map(text => `${message.name} v${version}: ${text.slice(0, 500)}`),
})
