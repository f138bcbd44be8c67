// Child process of embedded.ts: a broker that lives as long as the channel to its parent.
import { startBroker } from '../../src/broker/index.ts'

try {
  const broker = await startBroker(JSON.parse(process.argv[2] ?? '{}') as Parameters<typeof startBroker>[0])
  process.once('disconnect', async () => {
    await broker.close()
    process.exit(0)
  })
  process.send?.({ bootstrapServers: broker.bootstrapServers })
} catch (error) {
  process.send?.({ error: String(error instanceof Error ? error.stack : error) })
  process.exitCode = 1
  process.disconnect?.()
}
