// What the demo writes, and what it remembers of it: every record can be told from every other, and checked when it comes back.

export const VALUE_BYTES = 100
const KEYS = 10_000
const NUMBER_BYTES = 8

interface Consumed {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
}

/** Record number n has key n mod 10,000 and a value that begins with n and goes on with a piece of noise chosen by n. */
export class Ledger {
  private readonly total: number
  private readonly noise = Buffer.alloc(4_096 + VALUE_BYTES)
  private readonly keys = Array.from({ length: KEYS }, (_, i) => Buffer.from(`key-${String(i).padStart(4, '0')}`))
  /** The number last seen of each key: the next must be exactly 10,000 more. */
  private readonly lastOfKey = new Int32Array(KEYS).fill(-1)
  private seen = 0

  constructor(total: number) {
    this.total = total
    let state = 1
    for (let i = 0; i < this.noise.length; i++) this.noise[i] = (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) >>> 16
  }

  /** Records `from` to `to` (exclusive). */
  records(topic: string, from: number, to: number): { topic: string; key: Buffer; value: Buffer }[] {
    const values = Buffer.allocUnsafe((to - from) * VALUE_BYTES)
    return Array.from({ length: to - from }, (_, i) => {
      const number = from + i
      const value = values.subarray(i * VALUE_BYTES, (i + 1) * VALUE_BYTES)
      value.writeDoubleBE(number, 0)
      this.noise.copy(value, NUMBER_BYTES, this.noiseAt(number), this.noiseAt(number) + VALUE_BYTES - NUMBER_BYTES)
      return { topic, key: this.keys[number % KEYS]!, value }
    })
  }

  /** Throws unless this is the next record of its key, with the value it was written with. */
  check({ key, value }: Consumed): void {
    const bytes = value as Buffer
    if (bytes?.length !== VALUE_BYTES) throw new Error(`a value of ${bytes?.length} bytes came back, ${VALUE_BYTES} were written`)
    const number = bytes.readDoubleBE(0)
    const slot = number % KEYS
    const expectedKey = this.keys[slot]
    if (expectedKey === undefined || key === null || expectedKey.compare(key) !== 0)
      throw new Error(`record ${number} came back with another key: ${key}`)
    const expected = this.lastOfKey[slot] === -1 ? slot : this.lastOfKey[slot]! + KEYS
    if (number !== expected)
      throw new Error(`key ${key}: record ${number} came where ${expected} was due (lost, repeated or out of order)`)
    const from = this.noiseAt(number)
    if (bytes.compare(this.noise, from, from + VALUE_BYTES - NUMBER_BYTES, NUMBER_BYTES) !== 0)
      throw new Error(`record ${number} came back with another value`)
    this.lastOfKey[slot] = number
    this.seen++
  }

  /** Whether every record came back: with the order per key checked, the count tells. */
  get complete(): boolean {
    return this.seen === this.total
  }

  private noiseAt(number: number): number {
    return (number * 7) % 4_096
  }
}
