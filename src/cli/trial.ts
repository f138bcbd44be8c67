/** Whether bytes hold certain messages, without the trees that `dissect` makes: for a search, which asks that of many places. */
import { codec } from '../protocol/compile.ts'
import type { Message } from '../protocol/schema.ts'
import { Reader } from '../protocol/wire.ts'

export type Versioned = readonly [message: Message, version: number]

/**
 * Other traffic, and zeros before all, may look like the start of a frame at every fourth byte, each as long as all that
 * follows: for a stream of so many bytes no more than so many times as many are read in vain.
 */
const TIMES = 8
/** What a stream of a few bytes may cost as well. */
const ALLOWED_BYTES = 1 << 20
/** Most requests and answers are shorter. What a longer one becomes in memory, if it is none, may be more than there is. */
const LARGEST_FRAME_BYTES = 1 << 24
/** A place costs as much as reading so many bytes, whatever it has. */
const PLACE_BYTES = 32

export class Trial {
  private inVain = 0

  /** Whether the messages fill the frame to its end; false as well once too much was read in vain in a stream of that size. */
  fills(frame: Buffer, streamBytes: number, ...parts: readonly Versioned[]): boolean {
    if (frame.length > LARGEST_FRAME_BYTES || this.inVain > ALLOWED_BYTES + TIMES * streamBytes) return false
    const reader = new Reader(frame)
    try {
      for (const [message, version] of parts) codec(message, version).decode(reader)
      if (reader.position === frame.length) return true
    } catch {
      // It does not hold them: the codecs say so by throwing.
    }
    this.inVain += PLACE_BYTES + Math.min(reader.position, frame.length)
    return false
  }
}
