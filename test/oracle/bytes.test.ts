import { afterAll, expect, test } from 'vitest'
import { FindCoordinator, Metadata } from '../../src/protocol/apis/index.ts'
import { decodeMessage } from '../../src/protocol/frame.ts'
import { int64, type Message } from '../../src/protocol/schema.ts'
import { JavaProcess, type KafkaRelease } from '../java/java.ts'
import { Random } from '../protocol/random-message.ts'
import { judge, judgeReading, type Verdict } from './bytes.ts'
import { allCells, definitionsOf, extraJars } from './cells.ts'
import { report } from './report.ts'

const MESSAGES_PER_CELL = Number(process.env.KAFKAWIRE_ORACLE_MESSAGES ?? 20)
const SEED = Number(process.env.KAFKAWIRE_ORACLE_SEED ?? 1)

const processes = new Map<KafkaRelease, Promise<JavaProcess>>()
function java(release: KafkaRelease): Promise<JavaProcess> {
  let process = processes.get(release)
  if (!process)
    processes.set(release, (process = extraJars(release).then(jars => JavaProcess.start(release, 'OracleMessages.java', jars))))
  return process
}
afterAll(async () => {
  for (const process of processes.values()) await (await process).close()
})

test("Apache's classes read and write every message in every version as we do", async () => {
  const cells = await allCells()
  const random = new Random(SEED)
  const verdicts: Verdict[] = []
  for (const { message, definition, version, release } of cells) {
    const process = await java(release)
    verdicts.push(await judge(process, message, version, MESSAGES_PER_CELL, random))
    verdicts.push(await judgeReading(process, message, definition, version, MESSAGES_PER_CELL, random))
  }
  const messages = verdicts.reduce((sum, verdict) => sum + verdict.messages, 0)
  const found = verdicts.flatMap(verdict => verdict.found)
  report('bytes', { seed: SEED, cells: cells.length, messages, differences: found.length })
  expect(messages).toBeGreaterThan(2 * (cells.length - 2) * MESSAGES_PER_CELL)
  expect(found.slice(0, 20)).toEqual([])
})

test('text that is no UTF-8 is read as Java reads it', async () => {
  const random = new Random(SEED)
  const telling = [
    'c3',
    'e282',
    'f09d84',
    'c080',
    'f4908080',
    'ff',
    '80',
    'e2',
    'f0',
    '61',
    'c3a4',
    'eda080',
    'edbfbf',
    'eda0',
    'ed',
  ].map(hex => Buffer.from(hex, 'hex'))
  const frames = Array.from({ length: 1000 }, () => {
    const text = Buffer.concat(Array.from({ length: 1 + random.below(6) }, () => random.pick(telling)))
    const length = Buffer.alloc(2)
    length.writeInt16BE(text.length)
    return Buffer.concat([length, text])
  })
  const question = { message: FindCoordinator.request.name, version: 0, read: frames.map(frame => frame.toString('hex')) }
  const { read } = await (await java('4.4.0')).ask<{ read: { key: string }[] }>(question)
  expect(frames.map(frame => decodeMessage(FindCoordinator.request, 0, frame).value.key)).toEqual(read.map(({ key }) => key))
})

test.each([
  ['of another type', { controllerId: int64.since(1).default(-1n).ignorable() }],
  ['from another version on', { clusterId: Metadata.response.shape.clusterId.since(3) }],
  [
    'that is never null',
    {
      clusterId: {
        ...Metadata.response.shape.clusterId,
        presence: { ...Metadata.response.shape.clusterId.presence, nullableSince: 99, fallback: undefined },
      },
    },
  ],
  ['with another default', { controllerId: Metadata.response.shape.controllerId.tag(0) }],
])('a field %s shows', async (_, change) => {
  const wrong: Message = { ...Metadata.response, shape: { ...Metadata.response.shape, ...change } }
  const process = await java('4.4.0')
  const verdicts: Verdict[] = []
  const definition = (await definitionsOf('4.4.0')).get(wrong.name)!
  for (const version of [2, 12]) {
    verdicts.push(await judge(process, wrong, version, 20, new Random(2)))
    verdicts.push(await judgeReading(process, wrong, definition, version, 20, new Random(2)))
  }
  expect(verdicts.flatMap(verdict => verdict.found)).not.toEqual([])
})
