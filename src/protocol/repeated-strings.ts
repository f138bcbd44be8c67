/**
 * Text on the wire repeats: the same topics, members and hosts in answer after answer. A bounded number of short strings
 * is remembered by their bytes, which costs a third of decoding them anew (bench/protocol.ts), and a Map that is asked for
 * them finds their hash computed. A string is kept when it comes a second time, so that a long list of different ones
 * costs little more than the hash. Whatever a peer sends, a slot holds one string of at most MAX_BYTES.
 */
const SLOTS = 4096
/** Fewer bytes are no whole word, more do not fit a slot. */
export const MIN_BYTES = 4
export const MAX_BYTES = 32

export class RepeatedStrings {
  private readonly texts: (string | undefined)[] = new Array<undefined>(SLOTS).fill(undefined)
  /** Hash of the string that a slot saw last. */
  private readonly hashes = new Int32Array(SLOTS)
  private readonly lengths = new Uint8Array(SLOTS)
  private readonly bytes = Buffer.alloc(SLOTS * MAX_BYTES)
  private readonly kept = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length)
  private readonly decode: (buffer: Buffer, start: number, end: number) => string

  constructor(decode: (buffer: Buffer, start: number, end: number) => string) {
    this.decode = decode
  }

  /** The string that `buffer[start, end)`, MIN_BYTES to MAX_BYTES of it, stands for; `view` is of the same bytes. */
  text(buffer: Buffer, view: DataView, start: number, end: number): string {
    const hash = hashOf(view, start, end - 4)
    const slot = hash & (SLOTS - 1)
    if (this.hashes[slot] !== hash) {
      this.hashes[slot] = hash
      this.texts[slot] = undefined
      return this.decode(buffer, start, end)
    }
    const known = this.texts[slot]
    if (known === undefined) return this.keep(slot, buffer, start, end)
    return this.matches(slot, view, start, end) ? known : this.decode(buffer, start, end)
  }

  /**
   * Whether the slot holds those bytes, whose hash it has. The last word needs no comparing: where the length and all other
   * words are the same, each last word has a hash of its own, as every step of `hashOf` can be undone.
   */
  private matches(slot: number, view: DataView, start: number, end: number): boolean {
    if (this.lengths[slot] !== end - start) return false
    const away = slot * MAX_BYTES - start,
      last = end - 4
    for (let at = start; at < last; at += 4) if (this.kept.getInt32(away + at) !== view.getInt32(at)) return false
    return true
  }

  private keep(slot: number, buffer: Buffer, start: number, end: number): string {
    this.bytes.set(buffer.subarray(start, end), slot * MAX_BYTES)
    this.lengths[slot] = end - start
    return (this.texts[slot] = this.decode(buffer, start, end))
  }
}

/** Of the words from `start` on and of the one at `last`, which may overlap the one before it. */
function hashOf(view: DataView, start: number, last: number): number {
  let hash = Math.imul(view.getInt32(last) + last - start, 0x9e3779b1)
  for (let at = start; at < last; at += 4) hash = Math.imul((hash ^ (hash >>> 15)) + view.getInt32(at), 0x85ebca6b)
  return hash ^ (hash >>> 15) ^ (hash >>> 23)
}
