// What a client costs that does nothing: prepared bytes out, answers counted by their lengths. Nobody is faster on this machine.
import { connect } from 'node:net'
import { address, measure } from './round-trips.mjs'

const header = Buffer.from('000a0006000000010005', 'hex')
const body = Buffer.concat([header, Buffer.from('bench'), Buffer.from('0000020267', 'hex'), Buffer.from([0])])
const request = Buffer.concat([Buffer.from([0, 0, 0, body.length]), body])
const socket = connect(address).setNoDelay(true)
await new Promise(open => socket.once('connect', open))
const waiting = []
let rest = Buffer.alloc(0)
socket.on('data', data => {
  rest = rest.length > 0 ? Buffer.concat([rest, data]) : data
  while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
    rest = rest.subarray(4 + rest.readInt32BE(0))
    waiting.shift()()
  }
})
let pending = 0
const flush = () => {
  socket.write(pending === 1 ? request : Buffer.concat(Array(pending).fill(request)))
  pending = 0
}
await measure(
  'a bare socket',
  () => {
    if (pending++ === 0) queueMicrotask(flush)
    return new Promise(answered => waiting.push(answered))
  },
  () => socket.destroy(),
)
