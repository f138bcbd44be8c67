// What all sides of the round-trip benchmark share: `node SIDE HOST PORT DEPTH MS`, one JSON line.
const [, , host = '', port = '0', deepness = '1', wanted = '500'] = process.argv

export const address = { host, port: Number(port) }
export const depth = Number(deepness)

/** Keeps `depth` requests going for a while, twice: the first time to warm up. */
export async function measure(side, request, close) {
  const burst = async (ms, times) => {
    const end = performance.now() + ms
    const worker = async () => {
      for (let now = performance.now(); now < end; ) {
        await request()
        const then = performance.now()
        times.push(then - now)
        now = then
      }
    }
    await Promise.all(Array.from({ length: depth }, worker))
  }
  await burst(Number(wanted), [])
  const times = []
  const cpu = process.cpuUsage()
  const start = performance.now()
  await burst(Number(wanted), times)
  const seconds = (performance.now() - start) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  times.sort((a, b) => a - b)
  const at = share => Math.round((times[Math.floor(times.length * share)] ?? 0) * 1_000)
  const perSecond = Math.round(times.length / seconds)
  const perCpuSecond = Math.round(times.length / ((user + system) / 1e6))
  console.log(JSON.stringify({ side, depth, perSecond, perCpuSecond, p50Us: at(0.5), p99Us: at(0.99) }))
  await close()
  process.exit(0)
}
