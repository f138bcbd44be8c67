import { KafkaError, PartialFailureError } from '../../errors.ts'
import { brokerError } from '../../protocol/error-codes.ts'

export interface Coded {
  readonly errorCode: number
  readonly errorMessage?: string | null
}

/**
 * What became of each thing that a call named, in its order. Throws PartialFailureError if any failed; a thing that the
 * broker passed over failed as well.
 */
export function collect<Asked extends string, Answer extends Coded, Result>(
  things: string,
  api: string,
  asked: readonly Asked[],
  answers: ReadonlyMap<string, Answer>,
  result: (answer: Answer, asked: Asked) => Result,
): Map<Asked, Result> {
  const results = asked.map((name): PromiseSettledResult<Result> => {
    const answer = answers.get(name)
    if (!answer)
      return {
        status: 'rejected',
        reason: new KafkaError('ERR_PROTOCOL', `the broker's answer to ${api} says nothing of ${name}: ask again`, {
          retriable: true,
        }),
      }
    if (answer.errorCode !== 0)
      return { status: 'rejected', reason: brokerError(answer.errorCode, { api, topic: name, message: answer.errorMessage }) }
    return { status: 'fulfilled', value: result(answer, name) }
  })
  const done = new Map<Asked, Result>()
  results.forEach((each, index) => {
    const name = asked[index]
    if (each.status === 'fulfilled' && name !== undefined) done.set(name, each.value)
  })
  if (results.some(({ status }) => status === 'rejected')) throw new PartialFailureError(things, results)
  return done
}

/** Nothing may be named twice: the answer could not tell which is which. Throws ERR_INVALID_ARGUMENT. */
export function checkDistinct(things: string, names: readonly string[]): void {
  const seen = new Set<string>()
  for (const name of names) {
    if (typeof name !== 'string' || name === '')
      throw new KafkaError('ERR_INVALID_ARGUMENT', `${things} go by their name, which is a text`)
    if (seen.has(name)) throw new KafkaError('ERR_INVALID_ARGUMENT', `${name} is named twice among the ${things}: name it once`)
    seen.add(name)
  }
}
