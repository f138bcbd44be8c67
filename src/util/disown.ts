export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

/**
 * Takes what a function of the user's gave at a place that has no use for a promise. An async function may have got there, and
 * its rejection, which nobody awaits, would end the process.
 */
export function disown(given: unknown, rejected: (reason: unknown) => void = () => {}): void {
  if (isThenable(given)) given.then(undefined, rejected)
}
