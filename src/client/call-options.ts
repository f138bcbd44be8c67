import { KafkaError } from '../errors.ts'
import { describe } from '../protocol/misfit.ts'
import { checkNames, isObject } from '../util/options.ts'

export const VERSION_LIMITS = ['version', 'minVersion', 'maxVersion'] as const
const WHOLE_NUMBERS = ['nodeId', ...VERSION_LIMITS] as const

/** Refuses names that a call does not know, and values that are none. Throws KafkaError ERR_INVALID_ARGUMENT. */
export function checkCall(
  of: string,
  options: { readonly timeoutMs?: unknown; readonly signal?: unknown },
  known: readonly string[],
): void {
  const needed = (what: string, value: unknown) =>
    new KafkaError('ERR_INVALID_ARGUMENT', `${of} takes ${what}, not ${describe(value)}`)
  if (!isObject(options)) throw needed('an object of options', options)
  checkNames(of, options, known)
  const { timeoutMs, signal } = options
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0))
    throw needed('a number from 0 as timeoutMs', timeoutMs)
  for (const name of WHOLE_NUMBERS) {
    const value: unknown = Reflect.get(options, name)
    if (value !== undefined && !Number.isInteger(value)) throw needed(`a whole number as ${name}`, value)
  }
  if (signal !== undefined && !(isObject(signal) && 'aborted' in signal)) throw needed('an AbortSignal as signal', signal)
}

/** `checkCall` for a call that gives one and the same promise each time: what is refused is a rejection of its own. */
export function refusalOf(of: string, options: object, known: readonly string[]): Promise<never> | undefined {
  try {
    checkCall(of, options, known)
    return undefined
  } catch (error) {
    return Promise.reject(error)
  }
}
