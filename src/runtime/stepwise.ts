/** How long steps run before others have their turn. */
const TURN_MS = 4

/** When the jobs of this turn of the loop have to stop: they share it, however many they are. */
let turnEnds: number | undefined

/** Takes the steps, and lets pending I/O have its turn in between. */
export async function stepwise<T>(steps: Iterator<void, T>): Promise<T> {
  for (;;) {
    if (turnEnds === undefined) {
      turnEnds = performance.now() + TURN_MS
      // Before the jobs go on, which have yet to ask for it. The first in line takes the next turn, so none waits for ever.
      setImmediate(() => (turnEnds = undefined))
    }
    while (performance.now() < turnEnds) {
      const { done, value } = steps.next()
      if (done) return value
    }
    await new Promise<void>(resolve => void setImmediate(resolve))
  }
}
