const MAGIC = 0xfd2fb528
const SKIPPABLE = 0x184d2a50
/** No block holds more (RFC 8878, 3.1.1.2.4). */
const MOST_BLOCK_BYTES = 128 * 1024
/** So many are looked at: 8 GiB of full blocks, of which some would be empty where there are more. */
const MOST_BLOCKS = 65_536
/** Each costs a call of the library. */
const MOST_FRAMES = 4096

/** Where a frame lies, and how many bytes come out of it at most. */
export interface ZstdFrame {
  readonly start: number
  readonly end: number
  readonly mostBytes: number
}

/**
 * Finds the zstd frames of an input, leaving out skippable ones, by a walk over their block headers (RFC 8878). What comes out of one
 * is exact where it says so, otherwise 128 KiB for each compressed block. No output buffer need ever be larger, whatever it claims.
 * @throws RangeError for bytes that are no frames, or that claim more than their blocks could hold, or all together than `maxBytes`.
 */
export function zstdFrames(input: Uint8Array, maxBytes: number): ZstdFrame[] {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  const frames: ZstdFrame[] = []
  let room = maxBytes
  let blocks = 0
  for (let at = 0; at < input.length; ) {
    const start = at
    const magic = view.getUint32(at, true)
    at += 4
    if ((magic & 0xffff_fff0) >>> 0 === SKIPPABLE) {
      at += 4 + view.getUint32(at, true)
      if (at > input.length) throw new RangeError('a truncated skippable zstd frame')
      if (++blocks > MOST_BLOCKS) throw new RangeError(`more than ${MOST_BLOCKS} skippable zstd frames`)
      continue
    }
    if (magic !== MAGIC) throw new RangeError('no zstd frame')
    const descriptor = view.getUint8(at++)
    const sizeFlag = descriptor >>> 6
    const singleSegment = (descriptor & 0x20) !== 0
    if (!singleSegment) at++ // window
    at += [0, 1, 2, 4][descriptor & 3]! // dictionary id
    let claimed: number | undefined
    if (sizeFlag === 3) claimed = Number(view.getBigUint64(at, true))
    else if (sizeFlag === 2) claimed = view.getUint32(at, true)
    else if (sizeFlag === 1) claimed = view.getUint16(at, true) + 256
    else if (singleSegment) claimed = view.getUint8(at)
    at += sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag

    let held = 0
    for (let last = false; !last; ) {
      const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
      at += 3
      last = (header & 1) !== 0
      const type = (header >>> 1) & 3
      const size = header >>> 3
      if (type === 3 || size > MOST_BLOCK_BYTES) throw new RangeError('a damaged zstd block')
      if (++blocks > MOST_BLOCKS) throw new RangeError(`more than ${MOST_BLOCKS} zstd blocks`)
      held += type === 2 ? MOST_BLOCK_BYTES : size
      at += type === 1 ? 1 : size
    }
    if (descriptor & 4) at += 4 // checksum
    if (at > input.length) throw new RangeError('a truncated zstd frame')
    if (claimed !== undefined && claimed > Math.min(held, room)) throw new RangeError(`a zstd frame claims ${claimed} bytes`)
    const mostBytes = Math.min(claimed ?? held, room)
    room -= mostBytes
    frames.push({ start, end: at, mostBytes })
    if (frames.length > MOST_FRAMES) throw new RangeError(`more than ${MOST_FRAMES} zstd frames`)
  }
  return frames
}
