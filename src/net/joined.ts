/** Chunks below this size are copied together before they are written: cheaper than one more entry of a writev. */
const SMALL_CHUNK_BYTES = 4 << 10

/** Runs of small chunks copied into one; large ones as they are. */
export function joined(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  if (chunks.length < 2) return chunks
  const result: Uint8Array[] = []
  let small: Uint8Array[] = []
  const pack = () => {
    if (small.length > 0) result.push(small.length === 1 ? small[0]! : Buffer.concat(small))
    small = []
  }
  for (const chunk of chunks) {
    if (chunk.length < SMALL_CHUNK_BYTES) small.push(chunk)
    else {
      pack()
      result.push(chunk)
    }
  }
  pack()
  return result
}
