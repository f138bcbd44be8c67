// What the sides of the produce benchmark share: `node SIDE.mjs SERVERS TOPIC PARTITIONS RECORDS [batches|singles]`, one JSON line.
const [, , servers = '', topic = '', , wanted = '0', mode = 'batches'] = process.argv

export { servers, topic }

/** `make(keys)` gives what one awaited batch of 1,000 keys needs, `send(batch)` sends it, `sendOne(key)` sends a single record. */
export async function measure(side, { make, send, sendOne, close }) {
  const keys = Array.from({ length: 10_000 }, (_, i) => String(i).padStart(10, '0'))
  const batches = Array.from({ length: 10 }, (_, batch) => make(keys.slice(batch * 1_000, (batch + 1) * 1_000)))
  const run = async count => {
    let next = 0
    if (mode === 'singles') {
      for (; next < count; next += 10_000) await Promise.all(keys.map(key => sendOne(key)))
      return
    }
    const worker = async () => {
      while (next < count) {
        const batch = batches[(next / 1_000) % 10]
        next += 1_000
        await send(batch)
      }
    }
    await Promise.all([worker(), worker(), worker(), worker()])
  }
  const records = Number(wanted)
  await run(Math.min(records, mode === 'singles' ? 10_000 : 100_000))
  let stall = 0
  let last = performance.now()
  let rss = 0
  const sampled = setInterval(() => {
    const now = performance.now()
    stall = Math.max(stall, now - last - 5)
    last = now
    rss = Math.max(rss, process.memoryUsage.rss())
  }, 5)
  const cpu = process.cpuUsage()
  const start = performance.now()
  await run(records)
  const seconds = (performance.now() - start) / 1_000
  const { user, system } = process.cpuUsage(cpu)
  clearInterval(sampled)
  console.log(
    JSON.stringify({
      side: `${side} ${mode}`,
      records,
      seconds,
      recordsPerSecond: Math.round(records / seconds),
      recordsPerCpuSecond: Math.round(records / ((user + system) / 1e6)),
      stallClockMs: Math.round(stall),
      rssMb: Math.round(rss / 2 ** 20),
    }),
  )
  await close()
  process.exit(0)
}

export const VALUE = 'v'.repeat(100)
