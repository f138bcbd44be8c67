/** How much is copied at once. */
const STEP_BYTES = 512 * 1024

/** Puts pieces together, step by step; one alone is taken as it is. */
export function* joined(pieces: readonly Buffer[]): Generator<void, Buffer, void> {
  if (pieces.length === 1) return pieces[0]!
  const output = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const piece of pieces)
    for (let at = 0; at < piece.length; at += STEP_BYTES) {
      end += piece.copy(output, end, at, at + STEP_BYTES)
      yield
    }
  return output
}
