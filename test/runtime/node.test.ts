import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { makeCertificate } from '../net/certificate.ts'
import { connectionTo, failureOf } from '../net/connecting.ts'
import { ScriptedBroker } from '../net/scripted-broker.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

test('a timer longer than setTimeout can take does not fire at once', async () => {
  const { clock } = nodeRuntime
  const fired: string[] = []
  const long = clock.setTimer(2 ** 40, () => fired.push('long'))
  await new Promise<void>(resolve => void clock.setTimer(2, resolve))
  long.cancel()
  expect(fired).toEqual([])
})

describe('dead peers are noticed by probes of the kernel', () => {
  const { cert, key } = makeCertificate('localhost')
  test.each([
    ['TCP', undefined],
    ['TLS', { ca: cert }],
  ])('over %s, after a minute', async (_, tls) => {
    const broker = await new ScriptedBroker().listen(tls ? { tls: { cert, key } } : {})
    cleanUps.push(() => broker[Symbol.asyncDispose]())
    const probes = vi.spyOn(await tcpHandles(), 'setKeepAlive')
    cleanUps.push(() => probes.mockRestore())
    const connection = connectionTo({ host: 'localhost', port: broker.port }, nodeRuntime, { tls })
    await connection.connect()
    expect(probes.mock.calls.map(([on, seconds]) => [on, seconds])).toContainEqual([true, 60])
    await connection.close()
  })
})

/** What all TCP sockets of the process inherit from: the last place at which Node can be watched before the kernel. */
async function tcpHandles(): Promise<{ setKeepAlive(on: boolean, seconds: number): number }> {
  const server = createTcpServer(socket => socket.destroy())
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const socket: Socket = connectTcp((server.address() as AddressInfo).port, '127.0.0.1')
  await new Promise(resolve => socket.once('connect', resolve))
  const handles = Object.getPrototypeOf((socket as unknown as { _handle: object })._handle)
  socket.destroy()
  server.close()
  return handles
}

describe('http', () => {
  const serve = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> => {
    const server = createServer(answer)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    cleanUps.push(() => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(resolve))
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }
  const timeoutMs = 30_000

  test('a redirect is an answer: what was sent with the request goes to nobody else', async () => {
    const asked: (string | undefined)[] = []
    const elsewhere = await serve((request, response) => {
      asked.push(request.headers.authorization)
      response.end()
    })
    const url = await serve((_, response) => response.writeHead(307, { location: elsewhere }).end('moved'))
    const headers = { authorization: 'Basic c2VjcmV0' }
    expect(await nodeRuntime.http({ url, method: 'POST', headers, body: 'x', timeoutMs })).toEqual({ status: 307, body: 'moved' })
    expect(asked).toEqual([])
  })

  test('an endless answer is cut off', async () => {
    let sent = 0
    let over: () => void = () => {}
    const closed = new Promise<void>(resolve => {
      over = resolve
    })
    const url = await serve((_, response) => {
      const piece = Buffer.alloc(1 << 20)
      const more = () => {
        while (!response.destroyed && sent < 64 << 20) {
          sent += piece.length
          if (!response.write(piece)) return void response.once('drain', more)
        }
        response.end()
      }
      response.on('close', over)
      more()
    })
    expect((await failureOf(nodeRuntime.http({ url, timeoutMs }))).message).toMatch(/longer than 8388608 bytes/)
    await closed
    expect(sent).toBeLessThan(32 << 20)
  })

  test('its signal ends the exchange, on both sides', async () => {
    const over = new AbortController()
    const closed = new Promise<void>(resolve => {
      void serve((_, response) => {
        response.on('close', resolve)
        over.abort(new Error('nobody waits any more'))
      }).then(url => {
        const exchange = nodeRuntime.http({ url, timeoutMs, signal: over.signal })
        return expect(exchange).rejects.toThrow('nobody waits any more')
      })
    })
    await closed
  })
})
