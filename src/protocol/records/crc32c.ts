import { kernel } from './kernel/kernel.ts'

/**
 * CRC32C (Castagnoli, reflected polynomial 0x82f63b78), eight bytes per step through eight tables ("slicing by 8").
 * The kernel is several times faster; this is what runs where it cannot, and what it is compared with.
 */
const SLICES = 8
let tables: Int32Array | undefined

/** Made when first asked for: few programs need them, and importing should cost nothing. */
function slices(): Int32Array {
  const table = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    table[byte] = crc
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256]!
    table[at] = (before >>> 8) ^ table[before & 0xff]!
  }
  return table
}

/** Below this the way into the kernel's memory costs more than it saves. */
const KERNEL_BYTES = 128

/**
 * The CRC32C checksum of `bytes[start, end)` as an unsigned 32-bit number: by the kernel where that is faster.
 * @param before The checksum of what came before, where these bytes go on from there.
 */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  const fast = end - start >= KERNEL_BYTES && kernel()
  return fast ? fast.crc32c(bytes, start, end, before) : crc32cPlain(bytes, start, end, before)
}

/** The same in TypeScript alone. */
export function crc32cPlain(bytes: Uint8Array, start = 0, end = bytes.length, before = 0): number {
  const table = (tables ??= slices())
  let crc = ~before
  let at = start
  for (const last = end - 8; at <= last; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      table[0x700 | (crc & 0xff)]! ^
      table[0x600 | ((crc >>> 8) & 0xff)]! ^
      table[0x500 | ((crc >>> 16) & 0xff)]! ^
      table[0x400 | (crc >>> 24)]! ^
      table[0x300 | bytes[at + 4]!]! ^
      table[0x200 | bytes[at + 5]!]! ^
      table[0x100 | bytes[at + 6]!]! ^
      table[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ table[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}
