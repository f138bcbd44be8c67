import { Deferred } from '../util/deferred.ts'

/** What metadata is asked for. */
export interface Question {
  readonly names: readonly string[]
  readonly ids: readonly string[]
  readonly autoCreate: boolean
}

/** Only for brokers, and whatever is refreshed anyway. */
export const NOTHING: Question = { names: [], ids: [], autoCreate: false }

/** An error code per name or id that was asked for. */
export type Codes = ReadonlyMap<string, number>

/** One request to the cluster, for all who ask at the time, and their wait for its answer. */
export class Round {
  readonly names = new Set<string>()
  readonly ids = new Set<string>()
  autoCreate = false
  private readonly settled = new Deferred<Codes>()

  constructor(question: Question) {
    this.add(question)
    // Those who ask may all have given up.
    this.done.catch(() => {})
  }

  get done(): Promise<Codes> {
    return this.settled.promise
  }

  add({ names, ids, autoCreate }: Question): void {
    for (const name of names) this.names.add(name)
    for (const id of ids) this.ids.add(id)
    this.autoCreate ||= autoCreate
  }

  covers({ names, ids, autoCreate }: Question): boolean {
    return names.every(name => this.names.has(name)) && ids.every(id => this.ids.has(id)) && (this.autoCreate || !autoCreate)
  }

  resolve(codes: Codes): void {
    this.settled.resolve(codes)
  }
  reject(error: unknown): void {
    this.settled.reject(error)
  }
}
