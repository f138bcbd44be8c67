export const address: { host: string; port: number }
export const depth: number
export function measure(side: string, request: () => Promise<unknown>, close: () => unknown): Promise<never>
