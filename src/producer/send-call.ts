import { PartialFailureError } from '../errors.ts'
import type { RecordMetadata } from './record.ts'

/** What waits for one `send`: hears of each of its records exactly once, and settles its promise when the last is known. */
export interface SendCall {
  acknowledged(index: number, metadata: RecordMetadata): void
  failed(index: number, error: Error): void
}

/** `send(record)`. */
export class SingleSend implements SendCall {
  readonly promise: Promise<RecordMetadata>
  private resolve!: (metadata: RecordMetadata) => void
  private reject!: (error: Error) => void
  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
  acknowledged(_index: number, metadata: RecordMetadata): void {
    this.resolve(metadata)
  }
  failed(_index: number, error: Error): void {
    this.reject(error)
  }
}

/** `send([…])`: one promise for all of its records. */
export class ManySend implements SendCall {
  readonly promise: Promise<RecordMetadata[]>
  private resolve!: (metadata: RecordMetadata[]) => void
  private reject!: (error: Error) => void
  private readonly results: RecordMetadata[]
  private failures: Map<number, Error> | undefined
  private unsettled: number

  constructor(count: number) {
    this.results = new Array<RecordMetadata>(count)
    this.unsettled = count
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    if (count === 0) this.resolve([])
  }
  acknowledged(index: number, metadata: RecordMetadata): void {
    this.results[index] = metadata
    if (--this.unsettled === 0) this.settle()
  }
  failed(index: number, error: Error): void {
    this.failures ??= new Map()
    this.failures.set(index, error)
    if (--this.unsettled === 0) this.settle()
  }
  private settle(): void {
    const { failures, results } = this
    if (!failures) return this.resolve(results)
    this.reject(
      new PartialFailureError(
        'records',
        Array.from(results, (value, index): PromiseSettledResult<RecordMetadata> => {
          const reason = failures.get(index)
          return reason ? { status: 'rejected', reason } : { status: 'fulfilled', value }
        }),
      ),
    )
  }
}
