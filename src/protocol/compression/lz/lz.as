// LZ4 and Snappy, in AssemblyScript. `npm run kernel:build` turns it into lz-bytes.ts. Both formats are a row of literals and of
// copies from what was written before; lz4.ts and snappy.ts frame these blocks the way Kafka does.
//
// Memory:  0         16 KiB: table of the matcher, position of the last place with a hash, 2 bytes each
//          PREVIOUS  128 KiB: of each position the one before with the same hash, 2 bytes each (levels that search deeper)
//          DATA      input and output, wherever the caller puts them, each followed by 16 bytes that may be read or overwritten

const HASH_BITS: i32 = 13
const PREVIOUS: i32 = 1 << (HASH_BITS + 1)
export const DATA: i32 = PREVIOUS + 0x20000

/** What decompression answers instead of a size: the input makes no sense; the output has no room. */
const DAMAGED: i32 = -1
const TOO_LARGE: i32 = -2

export function reserve(end: i32): bool {
  const more = ((end + 0xffff) >>> 16) - memory.size()
  return more <= 0 || memory.grow(more) >= 0
}

/** Copies `size` bytes, and up to 15 more, 16 at a time: for places that do not overlap within 16. */
// @ts-ignore: decorator
@inline
function copy(from: i32, to: i32, size: i32): void {
  for (const end = to + size; to < end; to += 16, from += 16) v128.store(to, v128.load(from))
}

/** Repeats what starts `offset` bytes back. */
// @ts-ignore: decorator
@inline
function repeat(to: i32, offset: i32, size: i32): void {
  if (offset >= 16) copy(to - offset, to, size)
  else if (offset === 1) memory.fill(to, load<u8>(to - 1), size)
  else if (offset >= 8) for (const end = to + size; to < end; to += 8) store<u64>(to, load<u64>(to - offset))
  else for (const end = to + size; to < end; to++) store<u8>(to, load<u8>(to - offset))
}

// LZ4 ---------------------------------------------------------------------------------------------------------------------

/** A length of 15 goes on in further bytes, until one is below 255. Answers with the place behind (high half) and the sum. */
function lz4Length(at: i32, end: i32, length: i32): i64 {
  for (let byte = 255; byte === 255; length += byte) {
    if (at >= end || length > 0x3fff_ffff) return -1
    byte = <i32>load<u8>(at++)
  }
  return ((<i64>at) << 32) | length
}

/**
 * Decompresses a block of `size` bytes at `at` to `to`, never past `limit`; copies may reach back to `first`.
 * Returns the place behind the output, DAMAGED or TOO_LARGE.
 */
export function lz4Decompress(at: i32, size: i32, to: i32, limit: i32, first: i32): i32 {
  const end = at + size
  while (at < end) {
    const token = <i32>load<u8>(at++)
    let length = token >>> 4
    if (length === 15) {
      const long = lz4Length(at, end, length)
      if (long < 0) return DAMAGED
      at = <i32>(long >>> 32)
      length = <i32>long
    }
    if (length > end - at) return DAMAGED
    if (length > limit - to) return TOO_LARGE
    copy(at, to, length)
    at += length
    to += length
    if (at === end) return to // the last sequence is literals only

    if (end - at < 2) return DAMAGED
    const offset = <i32>load<u16>(at)
    at += 2
    if (offset === 0 || offset > to - first) return DAMAGED
    length = token & 15
    if (length === 15) {
      const long = lz4Length(at, end, length)
      if (long < 0) return DAMAGED
      at = <i32>(long >>> 32)
      length = <i32>long
    }
    length += 4
    if (length > limit - to) return TOO_LARGE
    repeat(to, offset, length)
    to += length
  }
  return DAMAGED
}

function putLz4Length(to: i32, length: i32): i32 {
  for (; length >= 255; length -= 255) store<u8>(to++, 255)
  store<u8>(to++, length)
  return to
}

/** Writes `literals` bytes from `at`, then, if `length` is not 0, a copy of that many from `offset` back. */
function putLz4(at: i32, literals: i32, offset: i32, length: i32, to: i32): i32 {
  const more = max(length - 4, 0)
  store<u8>(to++, (min(literals, 15) << 4) | min(more, 15))
  if (literals >= 15) to = putLz4Length(to, literals - 15)
  copy(at, to, literals)
  to += literals
  if (length === 0) return to
  store<u16>(to, offset)
  to += 2
  return more >= 15 ? putLz4Length(to, more - 15) : to
}

// Snappy ------------------------------------------------------------------------------------------------------------------

/** Where `snappyDecompress` has come to in its input, and how much of a literal there it has still to copy. */
export let next: i32 = 0
export let literal: i32 = 0

/**
 * As `lz4Decompress`, for a block without its preamble (the size of the output), from `at` to `end`. A block may hold any number
 * of bytes, so this stops once the output reaches `pause`, to be called again with `next` and `literal` while either has something left.
 */
export function snappyDecompress(at: i32, end: i32, rest: i32, to: i32, pause: i32, limit: i32, first: i32): i32 {
  literal = 0
  while (to < pause) {
    let length = rest
    if (length === 0) {
      if (at >= end) break
      const tag = <i32>load<u8>(at++)
      length = (tag >>> 2) + 1
      if ((tag & 3) !== 0) {
        let offset: u32
        if ((tag & 3) === 1) {
          if (at >= end) return DAMAGED
          length = ((tag >>> 2) & 7) + 4
          offset = ((<u32>tag >>> 5) << 8) | load<u8>(at++)
        } else if ((tag & 3) === 2) {
          if (end - at < 2) return DAMAGED
          offset = load<u16>(at)
          at += 2
        } else {
          if (end - at < 4) return DAMAGED
          offset = load<u32>(at)
          at += 4
        }
        if (offset === 0 || offset > <u32>(to - first)) return DAMAGED
        if (length > limit - to) return TOO_LARGE
        repeat(to, <i32>offset, length)
        to += length
        continue
      }
      if (length > 60) {
        const bytes = length - 60
        if (bytes > end - at) return DAMAGED
        const last = <i32>(load<u32>(at) & (0xffff_ffff >>> ((4 - bytes) << 3)))
        if (last < 0 || last === 0x7fff_ffff) return DAMAGED
        length = last + 1
        at += bytes
      }
      if (length > end - at) return DAMAGED
      if (length > limit - to) return TOO_LARGE
    }
    const part = min(length, pause - to)
    rest = length - part
    copy(at, to, part)
    at += part
    to += part
  }
  next = at
  literal = rest
  return to
}

function putSnappy(at: i32, literals: i32, offset: i32, length: i32, to: i32): i32 {
  if (literals > 0) {
    const last = literals - 1
    if (last < 60) store<u8>(to++, last << 2)
    else if (last < 0x100) {
      store<u16>(to, (60 << 2) | (last << 8))
      to += 2
    } else {
      store<u8>(to, 61 << 2)
      store<u16>(to, last, 1)
      to += 3
    }
    copy(at, to, literals)
    to += literals
  }
  // One copy takes 64 bytes at most, and no rest may be below the 4 that the short form needs at least.
  for (; length > 0; ) {
    const part = length < 68 ? min(length, 64) : 64
    const take = length > 64 && length < 68 ? 60 : part
    if (take >= 4 && take < 12 && offset < 2048) {
      store<u16>(to, 1 | ((take - 4) << 2) | ((offset >>> 8) << 5) | ((offset & 0xff) << 8))
      to += 2
    } else {
      store<u8>(to, 2 | ((take - 1) << 2))
      store<u16>(to, offset, 1)
      to += 3
    }
    length -= take
  }
  return to
}

// The matcher, common to both ---------------------------------------------------------------------------------------------

function matchLength(a: i32, b: i32, end: i32): i32 {
  const start = b
  for (; b + 8 <= end; a += 8, b += 8) {
    const difference = load<u64>(a) ^ load<u64>(b)
    if (difference) return b - start + (<i32>ctz(difference) >>> 3)
  }
  for (; b < end && load<u8>(a) === load<u8>(b); a++) b++
  return b - start
}

/**
 * Compresses a block of at most 64 KiB at `at` to `to`; returns the place behind the output, which takes at most
 * `size + size / 255 + 16` bytes. `attempts` is how many earlier places are looked at for each: 1 is fast.
 */
export function compress(at: i32, size: i32, to: i32, snappy: bool, attempts: i32): i32 {
  const start = at
  const end = at + size
  // LZ4 wants the last 5 bytes to be literals and the last copy to begin 12 before the end.
  const matchEnd = end - 5
  const lastMatch = end - 12
  let literals = at
  let misses = 0
  memory.fill(0, 0, PREVIOUS)
  while (at <= lastMatch) {
    const sequence = load<u32>(at)
    let candidate = insert(at, start, sequence)
    let length = 0
    let match = 0
    for (let left = attempts; left > 0 && candidate < at; left--) {
      if (load<u32>(candidate) === sequence) {
        const found = 4 + matchLength(candidate + 4, at + 4, matchEnd)
        if (found > length) {
          length = found
          match = candidate
        }
      }
      if (attempts === 1) break
      const before = start + <i32>load<u16>(PREVIOUS + ((candidate - start) << 1))
      if (before >= candidate) break
      candidate = before
    }
    if (length === 0) {
      at += 1 + (attempts === 1 ? misses++ >>> 6 : 0)
      continue
    }
    misses = 0
    to = snappy ? putSnappy(literals, at - literals, at - match, length, to) : putLz4(literals, at - literals, at - match, length, to)
    const next = at + length
    if (attempts > 1) for (at++; at < next && at <= lastMatch; at++) insert(at, start, load<u32>(at))
    else if (next - 2 <= lastMatch) insert(next - 2, start, load<u32>(next - 2))
    at = literals = next
  }
  return snappy ? putSnappy(literals, end - literals, 0, 0, to) : putLz4(literals, end - literals, 0, 0, to)
}

/** Notes that `sequence` is at `at`; returns where its hash was seen last, `start` if never. */
// @ts-ignore: decorator
@inline
function insert(at: i32, start: i32, sequence: u32): i32 {
  const entry = (sequence * 2_654_435_761) >>> (32 - HASH_BITS) << 1
  const before = <u32>load<u16>(entry)
  store<u16>(entry, at - start)
  store<u16>(PREVIOUS + ((at - start) << 1), before)
  return start + before
}

// xxHash32, which LZ4 frames are checked with -------------------------------------------------------------------------------

const P1: u32 = 2_654_435_761
const P2: u32 = 2_246_822_519
const P3: u32 = 3_266_489_917
const P4: u32 = 668_265_263
const P5: u32 = 374_761_393

let a: u32 = 0
let b: u32 = 0
let c: u32 = 0
let d: u32 = 0

/** Takes in the whole 16 bytes among `size` at `at`, after those of the calls before unless it is the first. */
export function xxh32Lanes(at: i32, size: i32, first: bool): void {
  if (first) {
    a = P1 + P2
    b = P2
    c = 0
    d = 0 - P1
  }
  for (const end = at + size; at <= end - 16; at += 16) {
    a = rotl<u32>(a + load<u32>(at) * P2, 13) * P1
    b = rotl<u32>(b + load<u32>(at, 4) * P2, 13) * P1
    c = rotl<u32>(c + load<u32>(at, 8) * P2, 13) * P1
    d = rotl<u32>(d + load<u32>(at, 12) * P2, 13) * P1
  }
}

/** The hash of `size` bytes at `at`, of which `xxh32Lanes` has taken in what it takes. */
export function xxh32(at: i32, size: i32): u32 {
  const end = at + size
  let hash = size < 16 ? P5 : rotl<u32>(a, 1) + rotl<u32>(b, 7) + rotl<u32>(c, 12) + rotl<u32>(d, 18)
  hash += size
  at += size & ~15
  for (; at <= end - 4; at += 4) hash = rotl<u32>(hash + load<u32>(at) * P3, 17) * P4
  for (; at < end; at++) hash = rotl<u32>(hash + <u32>load<u8>(at) * P5, 11) * P1
  hash = (hash ^ (hash >>> 15)) * P2
  hash = (hash ^ (hash >>> 13)) * P3
  return hash ^ (hash >>> 16)
}
