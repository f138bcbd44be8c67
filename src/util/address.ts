/** Where a broker listens, as options and metadata name it. */
export interface Address {
  readonly host: string
  readonly port: number
}

const DEFAULT_PORT = 9092

/**
 * `'a:9092,[::1]:9093'` or `['a:9092', 'b']` as addresses; without a port it is 9092. A listener prefix as in a broker's
 * own configuration (`PLAINTEXT://a:9092`) is accepted and ignored. Throws an Error whose message says what is wrong.
 */
export function bootstrapAddresses(servers: string | readonly string[]): Address[] {
  const parts = (typeof servers === 'string' ? [servers] : servers).flatMap(part => part.split(',')).map(part => part.trim())
  // Whatever stands before it may be a password, and is not repeated.
  if (parts.some(part => part.includes('@')))
    throw new Error("holds an '@': expected 'host:port' only, and user and password as the sasl option")
  const addresses = parts.filter(part => part !== '').map(address)
  if (addresses.length === 0) throw new Error("names no server: give at least one 'host:port'")
  return addresses
}

function address(text: string): Address {
  const match = /^(?:[A-Za-z_0-9]+:\/\/)?(?:\[([0-9A-Fa-f:.]+(?:%[^\]\s]+)?)\]|([^\s:/[\]]+))(?::(\d+))?$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  if (!match || !host) throw new Error(`'${text}' is not a server: expected 'host:port', or '[address]:port' for IPv6`)
  const port = match[3] === undefined ? DEFAULT_PORT : Number(match[3])
  if (port < 1 || port > 65_535) throw new Error(`'${text}' has port ${port}: expected 1 to 65535`)
  return { host, port }
}

export const sameAddress = (a: Address, b: Address): boolean => a.host === b.host && a.port === b.port

/** `host:port`, with the brackets an IPv6 address needs. All texts name addresses by it. */
export const addressText = ({ host, port }: Address): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)
