/** How long steps run before others have their turn. */
const TURN_MS = 4

/** Takes the steps, and lets pending I/O have its turn in between. */
export async function stepwise<T>(steps: Iterator<void, T>): Promise<T> {
  for (;;) {
    for (const end = performance.now() + TURN_MS; performance.now() < end; ) {
      const { done, value } = steps.next()
      if (done) return value
    }
    await new Promise<void>(resolve => void setImmediate(resolve))
  }
}
