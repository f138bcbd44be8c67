/** One word in both forms: the way from one to the other that makes a single bigint. */
const big = new BigInt64Array([1n])
const halves = new Int32Array(big.buffer)
/** Whether this machine keeps the low half of a word first. Kafka writes the high one first, wasm reads the low one first. */
export const littleEndian = halves[0] === 1
const LOW = littleEndian ? 0 : 1

export function int64At(bytes: Buffer, at: number): bigint {
  halves[LOW] = bytes.readInt32BE(at + 4)
  halves[1 - LOW] = bytes.readInt32BE(at)
  return big[0]!
}

/** The same as a number: exact up to 2^53. */
export function int64AsNumber(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)
}
