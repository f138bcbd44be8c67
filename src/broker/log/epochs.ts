/** Which leader epoch wrote from which offset on: how fetchers find where their log and ours part (KIP-101, KIP-320). */
export class EpochHistory {
  private readonly entries: { readonly epoch: number; readonly startOffset: bigint }[] = []

  /** Notes that `epoch` writes from `startOffset` on. Epochs at or below the last one change nothing. */
  assign(epoch: number, startOffset: bigint): void {
    const last = this.entries.at(-1)
    if (epoch < 0 || (last && epoch <= last.epoch)) return
    // An epoch that wrote nothing leaves no trace.
    if (last && last.startOffset >= startOffset) this.entries.pop()
    this.entries.push({ epoch, startOffset })
  }

  /** Epoch that wrote `offset`, -1 where none is known. */
  epochOf(offset: bigint): number {
    return this.entries.findLast(entry => entry.startOffset <= offset)?.epoch ?? -1
  }

  /**
   * The last epoch at or below the one asked for, and where it ends: what OffsetForLeaderEpoch answers. Epoch -1 and
   * offset -1 when that epoch is above all known ones. `current` is the epoch that still writes, up to `endOffset`.
   */
  endOf(epoch: number, current: number, endOffset: bigint): { epoch: number; endOffset: bigint } {
    if (epoch < 0) return { epoch: -1, endOffset: -1n }
    if (epoch === current) return { epoch, endOffset }
    if (epoch > current) return { epoch: -1, endOffset: -1n }
    const higher = this.entries.find(entry => entry.epoch > epoch)
    const floor = this.entries.findLast(entry => entry.epoch <= epoch)
    return { epoch: floor?.epoch ?? epoch, endOffset: higher?.startOffset ?? endOffset }
  }

  truncateTo(offset: bigint): void {
    while (this.entries.length > 0 && this.entries.at(-1)!.startOffset >= offset) this.entries.pop()
  }
}
