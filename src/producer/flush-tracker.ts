/**
 * Counts unsettled batches by generation. A flush closes the current generation: it is over when that and all earlier
 * ones are settled, whatever is sent meanwhile.
 */
export class FlushTracker {
  /** The generation of what is sent now. */
  current = 0
  private readonly unsettled = new Map<number, number>()
  private readonly flushes: { readonly upTo: number; readonly resolve: () => void }[] = []

  /** Whether a flush waits for this generation: then nothing of it lingers. */
  isFlushed(generation: number): boolean {
    return generation < this.current
  }

  began(generation: number): void {
    this.unsettled.set(generation, (this.unsettled.get(generation) ?? 0) + 1)
  }

  settled(generation: number): void {
    const left = (this.unsettled.get(generation) ?? 1) - 1
    if (left > 0) {
      this.unsettled.set(generation, left)
      return
    }
    this.unsettled.delete(generation)
    while (this.flushes[0] && !this.hasUnsettled(this.flushes[0].upTo)) this.flushes.shift()!.resolve()
  }

  /** Resolves once everything that began before it is settled, well or badly. */
  flush(): Promise<void> {
    const upTo = this.current
    if (!this.hasUnsettled(upTo)) return Promise.resolve()
    this.current++
    return new Promise(resolve => this.flushes.push({ upTo, resolve }))
  }

  private hasUnsettled(upTo: number): boolean {
    for (const generation of this.unsettled.keys()) if (generation <= upTo) return true
    return false
  }
}
