import { afterAll, beforeAll, expect, test } from 'vitest'
import { releaseJar } from '../../scripts/protocol-jar.ts'
import {
  decodeStreamsAssignment,
  decodeWorkerAssignment,
  decodeWorkerState,
  encodeStreamsAssignment,
  encodeWorkerAssignment,
  encodeWorkerState,
} from '../../src/protocol/group/index.ts'
import { JavaProcess } from '../java/java.ts'
import { Random } from '../protocol/random-message.ts'
import { report } from './report.ts'

// Formats that Connect and Streams write by hand, so that no definition says what they are.
const RELEASE = '4.4.0'
const EACH = 40

let java: JavaProcess
let compared = 0
let differing = 0
beforeAll(async () => {
  const jars = await Promise.all(
    ['connect-runtime', 'connect-api', 'kafka-streams'].map(artifact => releaseJar(artifact, RELEASE)),
  )
  java = await JavaProcess.start(RELEASE, 'OracleGroupFormats.java', jars)
})
afterAll(async () => {
  report('group-formats', { cells: 17, messages: compared, differences: differing })
  await java.close()
})

/** What Java makes of our bytes: the same bytes, and the values it read as text. */
async function judged(format: string, version: number, bytes: Buffer): Promise<string> {
  const { hex, text } = await java.ask<{ hex: string; text: string }>({ format, version, hex: bytes.toString('hex') })
  compared++
  if (hex !== bytes.toString('hex')) differing++
  expect(hex, `${format} v${version}`).toBe(bytes.toString('hex'))
  return text
}

const word = (random: Random) => random.bytes(1 + random.below(8)).toString('hex')
/** One or none: Java hashes their names. It lists a connector's own task (-1) first and leaves out connectors without tasks. */
const connectors = (random: Random) =>
  Array.from({ length: random.below(2) }, (_, i) => ({
    connector: `c${i}-${word(random)}`,
    tasks: [-1, ...Array.from({ length: random.below(4) }, (_, task) => task)],
  }))

function workerAssignment(random: Random, version: number) {
  return {
    error: random.below(2),
    leader: word(random),
    leaderUrl: `http://${word(random)}:8083/`,
    configOffset: BigInt(random.integer(32)),
    assignment: connectors(random),
    revoked: version === 0 ? null : connectors(random),
    delay: version === 0 ? 0 : random.below(300_000),
  }
}

test.each([0, 1, 2])('assignments of Connect workers, version %i', async version => {
  const random = new Random(version)
  for (let i = 0; i < EACH; i++) {
    const value = workerAssignment(random, version)
    const bytes = encodeWorkerAssignment(value, version)
    expect(decodeWorkerAssignment(bytes)).toEqual({ ...value, version })
    const text = await judged('worker-assignment', version, bytes)
    expect(text).toContain(`leader='${value.leader}'`)
    expect(text).toContain(`offset=${value.configOffset}`)
  }
})

test.each([0, 1, 2])('states of Connect workers, version %i', async version => {
  const random = new Random(10 + version)
  for (let i = 0; i < EACH; i++) {
    const running =
      version === 0 || random.chance(0.3) ? null : encodeWorkerAssignment(workerAssignment(random, version), version)
    const value = { url: `http://${word(random)}/`, configOffset: BigInt(random.integer(32)), allocation: running }
    const bytes = encodeWorkerState(value, version)
    expect(decodeWorkerState(bytes)).toEqual({ ...value, version })
    expect(await judged('worker-state', version, bytes)).toContain(value.url)
  }
})

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])('assignments of Streams instances, version %i', async version => {
  const random = new Random(20 + version)
  for (let i = 0; i < EACH; i++) {
    const task = () => ({
      topicGroupId: random.below(5),
      partition: random.below(64),
      ...(version >= 10 && { namedTopology: random.chance(0.3) ? [97, 0x20ac] : [] }),
    })
    const host = { host: word(random), port: random.below(65_536) }
    const other = { host: `${word(random)}.other`, port: random.below(65_536) }
    const at = (numbered: boolean) => [{ topic: numbered ? 0 : 'topic', partition: random.below(64) }]
    // Java keeps tasks and hosts in hash maps: with one of each the order is plain.
    const value = {
      version,
      ...(version >= 3 && { commonlySupportedVersion: version }),
      activeTasks: Array.from({ length: random.below(4) }, task),
      standbyTasks: random.chance(0.5) ? [] : [{ ...task(), partitions: [{ topic: 'changelog', partition: random.below(64) }] }],
      ...(version >= 2 && version <= 4 && { partitionsByHostOfNames: [{ ...host, partitions: at(false) }] }),
      ...(version >= 5 && {
        topics: [{ index: 0, topic: 'topic' }],
        partitionsByHost: [{ ...host, partitions: at(true) as never }],
      }),
      ...(version >= 6 && { standbyPartitionsByHost: [{ ...other, partitions: at(true) as never }] }),
      ...(version >= 4 && { errorCode: random.below(3) }),
      ...(version >= 7 && { nextRebalanceMs: BigInt(random.below(1e6)) }),
    }
    const bytes = encodeStreamsAssignment(value as never)
    expect(decodeStreamsAssignment(bytes)).toMatchObject(value)
    await judged('streams-assignment', version, bytes)
  }
})
