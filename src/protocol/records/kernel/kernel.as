// The kernel: checksum and index of a record batch, in AssemblyScript. `npm run kernel:build` turns it into kernel-bytes.ts.
// crc32c.ts and record-index.ts do the same in TypeScript, and are what this is compared with.
//
// Memory:  0      8 KiB of CRC tables, for eight bytes at a time
//          8192   4 KiB of tables that move a checksum past LANE bytes
//          12288  room of zeros, FAR vectors long, so that folding may look back behind the start
//          INPUT  the bytes at hand, then (16-aligned, some slack between) the index, 32 bytes per record

const FAR: i32 = 209
const SHIFT: i32 = 8192
const INPUT: i32 = 12288 + FAR * 16
const LANE: i32 = 96
const STRIDE: i32 = 32

/** Makes sure that memory holds `bytes` bytes from INPUT on; false when the engine will not give more. */
export function reserve(bytes: i32): bool {
  const pages = (INPUT + bytes + 0xffff) >>> 16
  const more = pages - memory.size()
  return more <= 0 || memory.grow(more) >= 0
}

// CRC32C ------------------------------------------------------------------------------------------------------------------

for (let byte = 0; byte < 256; byte++) {
  let crc = <u32>byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1))
  store<u32>(byte << 2, crc)
}
for (let at = 0; at < 7 * 1024; at += 4) {
  const crc = load<u32>(at)
  store<u32>(at + 1024, (crc >>> 8) ^ load<u32>((crc & 0xff) << 2))
}

for (let bit = 0; bit < 32; bit++) {
  let crc = <u32>1 << bit
  for (let i = 0; i < LANE; i++) crc = (crc >>> 8) ^ load<u32>((crc & 0xff) << 2)
  store<u32>(SHIFT + ((bit >>> 3) << 10) + (4 << (bit & 7)), crc)
}
for (let table = SHIFT; table < SHIFT + 4096; table += 1024)
  for (let byte = 1; byte < 256; byte++) // linear: what a byte does is the sum of what its bits do
    store<u32>(table + (byte << 2), load<u32>(table + ((byte & (byte - 1)) << 2)) ^ load<u32>(table + ((byte & -byte) << 2)))

/**
 * Continues the checksum `crc` (inverted, so -1 at first) over `size` bytes at INPUT, which it destroys.
 *
 * A checksum is a remainder modulo the polynomial P of CRC32C, and adding multiples of P changes no remainder. With
 * y = x^128, one vector of 16 bytes, these two are multiples of P that need no shift and no multiplication, only vector xors:
 *
 *   y^209 + y^144 + y^54 + y^39 + y^14 + 1
 *   y^38 + y^33 + y^31 + y^30 + y^28 + y^25 + y^23 + y^21 + y^20 + y^18 + y^17 + y^9 + y^2 + 1
 *
 * Adding the right multiple of one clears the leading vector and leaves the work to those behind it. So the first takes all
 * but 209 vectors away, the second all but 38, and tables do the last 600 bytes, in three lanes, so that one lookup need not wait for
 * the one before it. Each vector is written once: it is the
 * sum of what the ones before have left for it, 65, 155, 170, 195 and 209 places back.
 */
export function crc32c(crc: u32, size: i32): u32 {
  let at = INPUT
  const end = INPUT + size
  if (size >= 64 * 16) {
    store<u32>(at, load<u32>(at) ^ crc)
    crc = 0
    const vectorsEnd = INPUT + (size & -16)
    if (size >= (FAR + 64) * 16) {
      const rest = vectorsEnd - FAR * 16
      for (; at < rest; at += 16) {
        const back = at - FAR * 16
        v128.store(back, v128.xor(
          v128.xor(v128.xor(v128.load(back, 209 * 16), v128.load(back, 144 * 16)), v128.xor(v128.load(back, 54 * 16), v128.load(back, 39 * 16))),
          v128.xor(v128.load(back, 14 * 16), v128.load(back))), 209 * 16)
      }
      leave(rest, 65); leave(rest, 155); leave(rest, 170); leave(rest, 195); leave(rest, 209)
      memory.fill(rest - 38 * 16, 0, 38 * 16)
    }
    const rest = vectorsEnd - 38 * 16
    for (; at < rest; at += 16) {
      const back = at - 38 * 16
      const early = v128.xor(
        v128.xor(v128.xor(v128.load(back), v128.load(back, 2 * 16)), v128.xor(v128.load(back, 9 * 16), v128.load(back, 17 * 16))),
        v128.xor(v128.xor(v128.load(back, 18 * 16), v128.load(back, 20 * 16)), v128.xor(v128.load(back, 21 * 16), v128.load(back, 23 * 16))))
      const late = v128.xor(
        v128.xor(v128.xor(v128.load(back, 25 * 16), v128.load(back, 28 * 16)), v128.xor(v128.load(back, 30 * 16), v128.load(back, 31 * 16))),
        v128.xor(v128.load(back, 33 * 16), v128.load(back, 38 * 16)))
      v128.store(back, v128.xor(early, late), 38 * 16)
    }
    leave(rest, 5); leave(rest, 7); leave(rest, 8); leave(rest, 10); leave(rest, 13); leave(rest, 15); leave(rest, 17)
    leave(rest, 18); leave(rest, 20); leave(rest, 21); leave(rest, 29); leave(rest, 36); leave(rest, 38)
  }
  for (; end - at >= 3 * LANE; at += 3 * LANE) {
    let second: u32 = 0
    let third: u32 = 0
    for (let lane = at; lane < at + LANE; lane += 8) {
      crc = eight(crc, lane)
      second = eight(second, lane + LANE)
      third = eight(third, lane + 2 * LANE)
    }
    crc = shifted(shifted(crc) ^ second) ^ third
  }
  for (; at <= end - 8; at += 8) crc = eight(crc, at)
  for (; at < end; at++) crc = (crc >>> 8) ^ load<u32>((<u32>(<u8>crc) ^ load<u8>(at)) << 2)
  return crc
}

/** Eight bytes through eight tables. */
// @ts-ignore: decorator
@inline
function eight(crc: u32, at: i32): u32 {
  const low = load<u32>(at) ^ crc
  const high = load<u32>(at, 4)
  return load<u32>((low & 0xff) << 2, 7168) ^ load<u32>(((low >>> 8) & 0xff) << 2, 6144) ^
    load<u32>(((low >>> 16) & 0xff) << 2, 5120) ^ load<u32>((low >>> 24) << 2, 4096) ^
    load<u32>((high & 0xff) << 2, 3072) ^ load<u32>(((high >>> 8) & 0xff) << 2, 2048) ^
    load<u32>(((high >>> 16) & 0xff) << 2, 1024) ^ load<u32>((high >>> 24) << 2)
}

/** The checksum as it is LANE zeros later. */
// @ts-ignore: decorator
@inline
function shifted(crc: u32): u32 {
  return load<u32>((crc & 0xff) << 2, SHIFT) ^ load<u32>(((crc >>> 8) & 0xff) << 2, SHIFT + 1024) ^
    load<u32>(((crc >>> 16) & 0xff) << 2, SHIFT + 2048) ^ load<u32>((crc >>> 24) << 2, SHIFT + 3072)
}

/** Hands what the vectors before `rest` have left for the ones `distance` places behind them over, past `rest`. */
// @ts-ignore: decorator
@inline
function leave(rest: i32, distance: i32): void {
  for (let at = rest, end = rest + distance * 16; at < end; at += 16)
    v128.store(at, v128.xor(v128.load(at), v128.load(at - distance * 16)))
}

// Index -------------------------------------------------------------------------------------------------------------------

/** A place behind the end, from where no record ends where it should: the way on from a varint that is too long. */
let nowhere: i32 = 0
/** Where the last call of `index` stopped. */
let stopped: i32 = 0

/** The place behind a varint in the high half, its bits (still zigzag) in the low one. */
function longVarint(at: i32): u64 {
  let bits: u32 = 0
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = <u32>load<u8>(at++)
    bits |= (byte & 0x7f) << shift
    if (byte < 0x80) return (<u64>at << 32) | bits
  }
  return <u64>nowhere << 32
}

/** Reads a varint of 64 bits into the row's time delta; returns the place behind. */
function varlong(at: i32, row: i32): i32 {
  let bits: u64 = 0
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    const byte = <u64>load<u8>(at++)
    bits |= (byte & 0x7f) << shift
    if (byte < 0x80) {
      store<u64>(row, (bits >>> 1) ^ -(bits & 1), TIME_DELTA)
      return at
    }
  }
  return nowhere
}

// @ts-ignore: decorator
@inline
function varint(at: i32): u64 {
  const two = <u32>load<u16>(at)
  if (!(two & 0x80)) return (<u64>(at + 1) << 32) | (two & 0x7f)
  if (!(two & 0x8000)) return (<u64>(at + 2) << 32) | ((two & 0x7f) | ((two >>> 1) & 0x3f80))
  return longVarint(at)
}

// @ts-ignore: decorator
@inline
function behind(varint: u64): i32 {
  return <i32>(varint >>> 32)
}

// @ts-ignore: decorator
@inline
function signed(varint: u64): i32 {
  const bits = <u32>varint
  return <i32>(bits >>> 1) ^ -<i32>(bits & 1)
}

/** Places in a row, as record-index.ts names them. */
const KEY: i32 = 0
const VALUE: i32 = 8
const HEADERS: i32 = 16
const OFFSET_DELTA: i32 = 20
const TIME_DELTA: i32 = 24

/**
 * Indexes up to `count` records between `from` and `size`, both counted from INPUT, into rows at `rows`; positions are written
 * with `shift` added. Stops at the first record that is not well-formed or not wholly there, and returns how many came before it;
 * -1 when there are all of them, but more bytes behind.
 * Reads at most 46 bytes behind the end before it notices, which is what the slack is for.
 */
export function index(from: i32, size: i32, count: i32, rows: i32, shift: i32): i32 {
  let at = INPUT + from
  const end = INPUT + size
  const place = shift - INPUT
  nowhere = end + 16
  for (let found = 0; found < count; found++, rows += STRIDE) {
    stopped = at
    let read = varint(at)
    at = behind(read)
    let size = signed(read)
    if (size < 0 || size > end - at) return found
    const recordEnd = at + size

    at++ // attributes, unused
    const time = <i64>load<i8>(at)
    if (time >= 0) {
      store<i64>(rows, (time >>> 1) ^ -(time & 1), TIME_DELTA)
      at++
    } else at = varlong(at, rows)

    read = varint(at)
    at = behind(read)
    store<i32>(rows, signed(read), OFFSET_DELTA)

    read = varint(at)
    at = behind(read)
    size = signed(read)
    if (size > end - at) return found
    store<i32>(rows, at + place, KEY)
    at += max(size, 0)
    store<i32>(rows, at + place + (size >> 31), KEY + 4)

    read = varint(at)
    at = behind(read)
    size = signed(read)
    if (size > end - at) return found
    store<i32>(rows, at + place, VALUE)
    at += max(size, 0)
    store<i32>(rows, at + place + (size >> 31), VALUE + 4)

    store<i32>(rows, at + place, HEADERS)
    read = varint(at)
    at = behind(read)
    let headers = signed(read)
    if (headers < 0 || headers > recordEnd - at) return found
    for (; headers > 0; headers--) {
      read = varint(at)
      size = signed(read)
      at = behind(read)
      if (size < 0 || size > end - at) return found
      read = varint(at + size)
      at = behind(read)
      size = signed(read)
      if (size > end - at) return found
      at += max(size, 0)
    }
    if (at !== recordEnd) return found
  }
  stopped = at
  return at === end ? count : -1
}

/** Behind how many bytes, counted from INPUT, the last call of `index` stopped: all before are whole records. */
export function reached(): i32 {
  return stopped - INPUT
}
