/**
 * Text on the wire repeats: the same topics, members and hosts in answer after answer. A bounded number of short strings
 * is remembered by their bytes, which costs a third of decoding them anew (bench/protocol.ts), and a Map that is asked for
 * them finds their hash computed. A string is kept when it comes a second time, so that a long list of different ones
 * costs little more than the hash. Whatever a peer sends, a slot holds one string of at most MAX_BYTES.
 */
const SLOTS = 1024
const SLOT_WORDS = 8
/** Fewer bytes are no whole word, more do not fit a slot. */
export const MIN_BYTES = 4
export const MAX_BYTES = 4 * SLOT_WORDS

export class RepeatedStrings {
  private readonly texts: (string | undefined)[] = new Array<undefined>(SLOTS).fill(undefined)
  /** Hash of the string that a slot saw last. */
  private readonly hashes = new Int32Array(SLOTS)
  private readonly lengths = new Uint8Array(SLOTS)
  /** The bytes as words, the last of which may overlap the one before it. */
  private readonly words = new Int32Array(SLOTS * SLOT_WORDS)
  private readonly decode: (buffer: Buffer, start: number, end: number) => string

  constructor(decode: (buffer: Buffer, start: number, end: number) => string) {
    this.decode = decode
  }

  /** The string that `buffer[start, end)`, MIN_BYTES to MAX_BYTES of it, stands for; `view` is of the same bytes. */
  text(buffer: Buffer, view: DataView, start: number, end: number): string {
    const last = view.getInt32(end - 4)
    let hash = (Math.imul(last, 0x9e3779b1) + end - start) | 0
    for (let at = start; at + 4 <= end; at += 4) hash = Math.imul(hash ^ view.getInt32(at), 0x85ebca6b)
    hash ^= hash >>> 15
    const slot = hash & (SLOTS - 1)
    if (this.hashes[slot] !== hash) {
      this.hashes[slot] = hash
      this.texts[slot] = undefined
      return this.decode(buffer, start, end)
    }
    const known = this.texts[slot]
    if (known === undefined) return this.keep(slot, buffer, view, start, end)
    return this.matches(slot, view, start, end, last) ? known : this.decode(buffer, start, end)
  }

  private matches(slot: number, view: DataView, start: number, end: number, last: number): boolean {
    if (this.lengths[slot] !== end - start) return false
    let word = slot * SLOT_WORDS
    for (let at = start; at + 4 <= end; at += 4) if (this.words[word++] !== view.getInt32(at)) return false
    return ((end - start) & 3) === 0 || this.words[word] === last
  }

  private keep(slot: number, buffer: Buffer, view: DataView, start: number, end: number): string {
    const text = this.decode(buffer, start, end)
    let word = slot * SLOT_WORDS
    for (let at = start; at + 4 <= end; at += 4) this.words[word++] = view.getInt32(at)
    if (((end - start) & 3) !== 0) this.words[word] = view.getInt32(end - 4)
    this.lengths[slot] = end - start
    this.texts[slot] = text
    return text
  }
}
