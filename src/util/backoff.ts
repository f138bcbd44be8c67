/** Exponential backoff with jitter of ±20 % (KIP-580): `baseMs`, doubled at each failed attempt, at most `maxMs`. */
export interface BackoffOptions {
  readonly baseMs: number
  readonly maxMs: number
  readonly random: () => number
}

/** How long to wait before the next try after `attempts` failures (1 for the first). */
export function backoffMs(attempts: number, { baseMs, maxMs, random }: BackoffOptions): number {
  // Bounded before the jitter, as in Java: at the bound as well clients should not all come back at once.
  const exponential = Math.min(maxMs, baseMs * 2 ** Math.min(attempts - 1, 30))
  return Math.min(maxMs, Math.round(exponential * (0.8 + 0.4 * random())))
}
