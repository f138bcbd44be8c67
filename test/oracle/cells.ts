// What there is to judge: every message in every version, and the release whose jar judges it.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Definition, definitionsIn } from '../../scripts/protocol-definition.ts'
import { releaseJar } from '../../scripts/protocol-jar.ts'
import type { Message } from '../../src/protocol/schema.ts'
import { type KafkaRelease, kafkaJars } from '../java/java.ts'
import { allMessages } from '../protocol/all-messages.ts'
import { sharedVersions } from './structure.ts'

/** Newest first. Where releases disagree on a version the newest that has it wins; the older ones judge what it dropped. */
export const releases = ['4.4.0', '3.9.2'] as const satisfies readonly KafkaRelease[]

export interface Cell {
  readonly message: Message
  readonly version: number
  readonly release: KafkaRelease
  readonly definition: Definition
}

const JARS = /^kafka-(clients|group-coordinator|transaction-coordinator|share-coordinator)-[\d.]+\.jar$/

/** Jars that a broker goes without, but that hold definitions. */
const EXTRA_JARS = ['kafka-streams']

export const extraJars = (release: KafkaRelease): Promise<string[]> =>
  Promise.all(EXTRA_JARS.map(artifact => releaseJar(artifact, release)))

/** All definitions of a release: those of messages, of what coordinators keep in their internal topics, and of Streams. */
export async function definitionsOf(release: KafkaRelease): Promise<Map<string, Definition>> {
  const folder = await kafkaJars(release)
  const jars = readdirSync(folder).filter(name => JARS.test(name))
  const paths = [...jars.map(jar => join(folder, jar)), ...(await extraJars(release))]
  return new Map(paths.flatMap(path => [...definitionsIn(path)]))
}

/** Every message × version with its judge. A version that no release has is left out: the structural test compares the ranges. */
export async function allCells(messages: readonly Message[] = allMessages): Promise<Cell[]> {
  const cells: Cell[] = []
  const known = await Promise.all(releases.map(async release => ({ release, definitions: await definitionsOf(release) })))
  for (const message of messages) {
    const judged = new Set<number>()
    for (const { release, definitions } of known) {
      const definition = definitions.get(message.name)
      if (!definition) continue
      const older = release !== releases[0]
      for (const version of sharedVersions(message, definition)) {
        if (judged.has(version) || (older && isUnstable(definitions, definition, version))) continue
        judged.add(version)
        cells.push({ message, version, release, definition })
      }
    }
  }
  return cells
}

/** An older release's last version may have become something else since. */
function isUnstable(definitions: Map<string, Definition>, definition: Definition, version: number): boolean {
  const request = definitions.get(definition.name.replace(/Response$/, 'Request'))
  return request?.latestVersionUnstable === true && String(version) === /\d+$/.exec(request.validVersions)?.[0]
}
