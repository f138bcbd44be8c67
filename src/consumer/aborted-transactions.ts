/**
 * Tells records of aborted transactions apart, within one fetched stretch of a partition (KIP-98). The broker names every
 * aborted transaction that overlaps the stretch, whether its marker lies inside or far behind; it need not name them in
 * order, and one producer may have several.
 */
export class AbortedTransactions {
  private readonly upcoming: { readonly producerId: bigint; readonly firstOffset: bigint }[]
  private next = 0
  private readonly open = new Set<bigint>()

  constructor(transactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]) {
    this.upcoming = [...transactions].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0))
  }

  /** Call for each batch in order: transactions that begin up to its last offset are open from now on. */
  reach(lastOffset: bigint): void {
    while (this.next < this.upcoming.length && this.upcoming[this.next]!.firstOffset <= lastOffset)
      this.open.add(this.upcoming[this.next++]!.producerId)
  }
  has(producerId: bigint): boolean {
    return this.open.has(producerId)
  }
  /** The abort marker of a producer was met. */
  end(producerId: bigint): void {
    this.open.delete(producerId)
  }
}
