/**
 * Consumes from frame-server.ts: `node frame-consumer.ts PORT batches|released RECORDS_PER_ROUND ROUNDS WARM_UP_ROUNDS` prints a line of
 * JSON. Everything between the socket and the values' first bytes counts, and so does every turn of the loop, those in which a
 * response arrives included.
 */
import { Consumer } from '../../src/consumer/index.ts'
import { TurnMeter } from '../turn-meter.ts'

const [, , port = '', mode = '', perRound = '0', rounds = '0', warmUp = '0'] = process.argv
const consumer = new Consumer({ bootstrapServers: `127.0.0.1:${port}`, autoOffsetReset: 'earliest' })
consumer.assign([{ topic: 'endless', partition: 0 }])

/** Processor time of all threads of this process, and of nobody else. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const turns = new TurnMeter()
const nsPerRecord: number[] = []
let round = -Number(warmUp)
let records = 0
let began = 0
let rss = 0
for await (const batch of consumer.batches()) {
  if (round === 0 && records === 0) turns.reset()
  let touched = 0
  for (const record of batch) touched += record.value![0]!
  if (touched === 0) throw new Error('nothing was read')
  records += batch.length
  if (mode === 'released') batch.release()
  if (records < Number(perRound)) continue
  const now = cpuMs()
  rss = Math.max(rss, process.memoryUsage.rss())
  if (round >= 0) nsPerRecord.push(((now - began) * 1e6) / records)
  if (++round === Number(rounds)) break
  began = now
  records = 0
}
const { cpuMs: longestTurnMs } = turns.turns()
turns.stop()
await consumer.close()
nsPerRecord.sort((a, b) => a - b)
console.log(
  JSON.stringify({
    nsPerRecord: nsPerRecord[nsPerRecord.length >> 1],
    range: [nsPerRecord[0], nsPerRecord.at(-1)],
    longestTurnMs,
    rssMb: rss / 2 ** 20,
  }),
)
