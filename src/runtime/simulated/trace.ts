/**
 * What happened, in order, and a running hash of it: every change of the network, all bytes that arrived by their checksum, and
 * when. Runs with different hashes differ; the reverse holds as far as 32 bits can tell.
 */
export class Trace {
  /** The first entries; `count` says how many there were in all. */
  readonly entries: string[] = []
  count = 0
  private readonly limit: number
  private state = 0x811c9dc5

  constructor(limit: number) {
    this.limit = limit
  }

  get hash(): string {
    return (this.state >>> 0).toString(16).padStart(8, '0')
  }

  add(timeMs: number, what: string): void {
    const entry = `${timeMs.toFixed(3)} ${what}`
    // FNV-1a.
    let hash = this.state
    for (let i = 0; i < entry.length; i++) hash = Math.imul(hash ^ entry.charCodeAt(i), 0x01000193)
    this.state = hash
    if (this.count++ < this.limit) this.entries.push(entry)
  }
}
