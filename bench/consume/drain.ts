/** What every side of the consume bench measures, in its own process: from the first record to the last. */
import { TurnMeter } from '../turn-meter.ts'

export interface Drained {
  readonly side: string
  /** Whether checksums are verified. */
  readonly crc: string
  readonly records: number
  /** From the first batch to the last. */
  readonly recordsPerSecond: number
  /** Processor time of all threads of the process. */
  readonly recordsPerCpuSecond: number
  /** Longest synchronous turn, CPU milliseconds of the main thread; 0 when not known. */
  readonly turnMs: number
  /** The most that was seen as batches came; 0 when not known. */
  readonly rssMb: number
}

export const [bootstrapServers = '', topic = '', partitionCount = '1', wantedRecords = '0', mode = ''] = process.argv.slice(2)
export const wanted = Number(wantedRecords)
export const partitions = Number(partitionCount)

/** Counts batches of records, and ends when all are there. Joining a group is not counted: peers cannot go without one. */
export class Drain {
  readonly finished: Promise<void>
  private finish!: () => void
  private readonly side: string
  private readonly crc: string
  private readonly turns = new TurnMeter()
  private count = 0
  private counted = 0
  private started = 0
  private cpu = process.cpuUsage()
  private rss = 0

  constructor(side: string, crc: string) {
    this.side = side
    this.crc = crc
    this.finished = new Promise(resolve => {
      this.finish = resolve
    })
  }

  /** `touched` is a sum over the values' first bytes, none of which is 0. True when that was the last. */
  add(records: number, touched: number): boolean {
    if (this.count === 0) {
      // The first batch starts the watch and does not count.
      this.started = performance.now()
      this.cpu = process.cpuUsage()
      this.turns.reset()
    } else this.counted += records
    this.count += records
    if (!(touched > 0)) throw new Error('values were not read')
    this.rss = Math.max(this.rss, process.memoryUsage.rss())
    if (this.count < wanted) return false
    const seconds = (performance.now() - this.started) / 1000
    const { user, system } = process.cpuUsage(this.cpu)
    const result: Drained = {
      side: this.side,
      crc: this.crc,
      records: this.count,
      recordsPerSecond: Math.round(this.counted / seconds),
      recordsPerCpuSecond: Math.round(this.counted / ((user + system) / 1e6)),
      turnMs: Math.round(this.turns.turns().cpuMs),
      rssMb: Math.round(this.rss / 2 ** 20),
    }
    this.turns.stop()
    console.log(JSON.stringify(result))
    this.finish()
    return true
  }
}
