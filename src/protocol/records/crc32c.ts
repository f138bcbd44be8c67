import { kernel } from './kernel/kernel.ts'

/**
 * CRC32C (Castagnoli, reflected polynomial 0x82f63b78), eight bytes per step through eight tables ("slicing by 8").
 * The kernel is several times faster; this is what runs where it cannot, and what it is compared with.
 */
const TABLES = Array.from({ length: 8 }, () => new Int32Array(256)) as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  T0[byte] = crc
}
for (let slice = 1; slice < 8; slice++)
  for (let byte = 0; byte < 256; byte++) {
    const before = TABLES[slice - 1]![byte]!
    TABLES[slice]![byte] = (before >>> 8) ^ T0[before & 0xff]!
  }

/** Below this the way into the kernel's memory costs more than it saves. */
const KERNEL_BYTES = 128

/** The CRC32C checksum of `bytes[start, end)` as an unsigned 32-bit number: by the kernel where that is faster. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const fast = end - start >= KERNEL_BYTES && kernel()
  return fast ? fast.crc32c(bytes, start, end) : crc32cPlain(bytes, start, end)
}

/** The same in TypeScript alone. */
export function crc32cPlain(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1
  let at = start
  for (const last = end - 8; at <= last; at += 8) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      T7[crc & 0xff]! ^
      T6[(crc >>> 8) & 0xff]! ^
      T5[(crc >>> 16) & 0xff]! ^
      T4[crc >>> 24]! ^
      T3[bytes[at + 4]!]! ^
      T2[bytes[at + 5]!]! ^
      T1[bytes[at + 6]!]! ^
      T0[bytes[at + 7]!]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ T0[(crc ^ bytes[at]!) & 0xff]!
  return ~crc >>> 0
}
