import { isDeepStrictEqual } from 'node:util'
import { ProtocolError } from '../../src/errors.ts'
import { decodeMessage, encodeMessage } from '../../src/protocol/frame.ts'
import type { Message } from '../../src/protocol/schema.ts'
import { faultOf, trace } from '../../src/protocol/trace.ts'
import { everyVersion } from './all-messages.ts'
import { type Random, randomMessage } from './random-message.ts'

const cells: readonly (readonly [Message, number])[] = [...everyVersion()]

/**
 * One execution: a message is damaged and read. Either it is refused with a ProtocolError that names the field, or what was
 * read can be written, and read again as the same value.
 */
export function fuzzMessage(random: Random): void {
  const [message, version] = random.pick(cells)
  const valid = encodeMessage(message, version, randomMessage(random, message, version, { unknownTags: true }))
  const bytes = damaged(random, valid)
  const fault = faultOf(trace(message, version, bytes))
  let value: never
  try {
    value = decodeMessage(message, version, bytes).value as never
  } catch (error) {
    if (!(error instanceof ProtocolError) || error.path === undefined || error.offset === undefined) throw error
    if (fault?.path !== error.path || fault.offset !== error.offset)
      throw new Error('the trace breaks elsewhere', { cause: error })
    return
  }
  if (fault) throw new Error(`the trace breaks at ${fault.path}, decoding does not`)
  const again = encodeMessage(message, version, value)
  if (!isDeepStrictEqual(decodeMessage(message, version, again).value, value))
    throw new Error(`${message.name} v${version}: read again as another value`)
}

/** Bytes with a few of them changed, cut out, doubled or put in. */
export function damaged(random: Random, bytes: Buffer): Buffer {
  let result = Buffer.from(bytes)
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.below(result.length + 1)
    const rest = result.subarray(at)
    switch (random.below(6)) {
      case 0:
        if (at < result.length) result[at] = random.below(256)
        break
      case 1:
        if (at < result.length) result[at] = result[at]! ^ (1 << random.below(8))
        break
      case 2:
        result = result.subarray(0, at)
        break
      case 3:
        result = Buffer.concat([result.subarray(0, at), random.pick(TELLING), rest])
        break
      case 4:
        random.pick(TELLING).copy(result, at)
        break
      default:
        result = Buffer.concat([result.subarray(0, at), rest.subarray(random.below(rest.length + 1))])
    }
  }
  return result
}

/** Bytes that lengths, counts and tags stumble over. */
const TELLING = [
  'ffffffff',
  '7fffffff',
  '80000000',
  'fffffffe',
  '00',
  'ff',
  'ffff',
  '7fff',
  'ffffffff0f',
  'ffffffff7f',
  'ffffffffff01',
  '8080808000',
  '0000000000000000',
].map(hex => Buffer.from(hex, 'hex'))
