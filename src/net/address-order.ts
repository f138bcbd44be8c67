/**
 * What is known of the addresses of one host, over all connections to it (KIP-602): an address that accepts connections and
 * does not serve them, or one that swallows packets, is not the first to be tried again. As in Java, an address that a
 * connection was lost from is the last one to go back to.
 */
export class AddressOrder {
  private proven: string | undefined
  /** The longest ago comes first. */
  private readonly suspect = new Set<string>()
  private latest: readonly string[] = []

  /** Whether the name, when it was last looked up, led to an address of which nothing bad is known. */
  get hasUntried(): boolean {
    return this.latest.some(address => !this.suspect.has(address))
  }

  /** The addresses in the order to try them: the one that served last, those of which nothing bad is known, the others. */
  of(addresses: readonly string[]): string[] {
    this.latest = addresses
    for (const address of this.suspect) if (!addresses.includes(address)) this.suspect.delete(address)
    const rank = (address: string) => (address === this.proven ? 0 : this.suspect.has(address) ? 2 : 1)
    const known = addresses.filter(address => rank(address) < 2).sort((a, b) => rank(a) - rank(b))
    return [...known, ...this.suspect]
  }

  /** A connection to it was set up completely. */
  served(address: string): void {
    this.proven = address
    this.suspect.delete(address)
  }

  /** It could not be reached, or a connection to it failed. */
  failed(address: string): void {
    if (this.proven === address) this.proven = undefined
    this.suspect.delete(address)
    this.suspect.add(address)
  }
}
