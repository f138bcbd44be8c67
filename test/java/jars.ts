// Jars of a Kafka release, fetched once by Maven into a cache folder outside the repository.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Releases the tests know how to run: one real broker for every generation of the wire protocol. */
export const kafkaReleases = {
  '4.4.0': { scala: '2.13', mode: 'kraft' },
  '3.9.2': { scala: '2.13', mode: 'kraft' },
  '2.8.2': { scala: '2.13', mode: 'zookeeper' },
  '1.1.1': { scala: '2.12', mode: 'zookeeper' },
  '0.11.0.3': { scala: '2.11', mode: 'zookeeper' },
  '0.10.2.2': { scala: '2.11', mode: 'zookeeper' },
} as const satisfies Record<string, { scala: string; mode: 'kraft' | 'zookeeper' }>

export type KafkaRelease = keyof typeof kafkaReleases

export function isKafkaRelease(version: string): version is KafkaRelease {
  return version in kafkaReleases
}

/** Where downloads are kept between runs: `KAFKAWIRE_CACHE`, else `~/.cache/kafkawire`. */
export function cacheDirectory(): string {
  return process.env.KAFKAWIRE_CACHE ?? join(homedir(), '.cache', 'kafkawire')
}

const pending = new Map<string, Promise<string>>()

/** Folder with all jars of a Kafka broker of that release (its clients and their dependencies included). */
export function kafkaJars(version: KafkaRelease): Promise<string> {
  let jars = pending.get(version)
  if (jars === undefined) pending.set(version, (jars = resolveJars(version)))
  return jars
}

/** Class path (for `java -cp`) of that Kafka release: broker, clients, Jackson, a quiet SLF4J binding. */
export async function javaClasspath(version: KafkaRelease = '4.4.0'): Promise<string> {
  return join(await kafkaJars(version), '*')
}

/** Newest release of Kafka's command line tools on Maven: those of 4.4.0 are not there. */
const TOOLS_VERSION = '4.3.1'
let tools: Promise<string> | undefined

/** Class path of Kafka's command line tools (`org.apache.kafka.tools.…`), by themselves: a broker's jars do not have them. */
export async function kafkaToolsClasspath(): Promise<string> {
  tools ??= fetchJars(`kafka-tools-${TOOLS_VERSION}-1`, [
    dependency('org.apache.kafka', 'kafka-tools', TOOLS_VERSION),
    dependency('org.slf4j', 'slf4j-simple', '1.7.36'),
  ])
  return join(await tools, '*')
}

function resolveJars(version: KafkaRelease): Promise<string> {
  return fetchJars(`kafka_${kafkaReleases[version].scala}-${version}-1`, brokerDependencies(version))
}

async function fetchJars(name: string, dependencies: readonly string[]): Promise<string> {
  const parent = join(cacheDirectory(), 'jars')
  const target = join(parent, name)
  if (existsSync(target)) return target
  mkdirSync(parent, { recursive: true })
  const work = mkdtempSync(join(parent, '.fetching-'))
  try {
    writeFileSync(join(work, 'pom.xml'), pom(dependencies))
    const lib = join(work, 'lib')
    await maven(work, ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${lib}`])
    // Several test processes may fetch at once: each has its own work folder, the first to finish wins.
    if (!existsSync(target)) {
      try {
        renameSync(lib, target)
      } catch (error) {
        if (!existsSync(target)) throw error
      }
    }
    return target
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function maven(directory: string, args: string[]): Promise<void> {
  try {
    await promisify(execFile)('mvn', ['-q', '-B', '-ntp', ...args], { cwd: directory, maxBuffer: 16 << 20, timeout: 300_000 })
  } catch (error) {
    const { stdout = '', stderr = '', message = '' } = error as { stdout?: string; stderr?: string; message?: string }
    throw new Error(
      `Maven could not fetch the jars: is mvn installed and does it reach a repository? ${message}\n${stdout}${stderr}`,
      {
        cause: error,
      },
    )
  }
}

function pom(dependencies: readonly string[]): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>kafkawire</groupId><artifactId>test-jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('')}</dependencies></project>
`
}

function brokerDependencies(version: KafkaRelease): string[] {
  const modern = Number(version.split('.')[0]) >= 4
  return [
    dependency('org.apache.kafka', `kafka_${kafkaReleases[version].scala}`, version),
    // SLF4J API is 1.7.36 in every release, so the binding has to be a 1.7 one. Up to 3.9 the broker needs log4j 1's classes.
    ...(modern
      ? [dependency('org.slf4j', 'slf4j-simple', '1.7.36')]
      : [
          dependency('org.slf4j', 'slf4j-api', '1.7.36'),
          dependency('org.slf4j', 'slf4j-reload4j', '1.7.36'),
          dependency('ch.qos.reload4j', 'reload4j', '1.2.25'),
        ]),
    // Java 11 dropped JAXB, which releases before 1.0 use for base64.
    ...(version.startsWith('0.') ? [dependency('javax.xml.bind', 'jaxb-api', '2.3.1')] : []),
  ]
}

function dependency(group: string, artifact: string, version: string): string {
  const excluded = ['log4j:log4j', 'org.slf4j:slf4j-log4j12'].map(id => {
    const [groupId, artifactId] = id.split(':')
    return `<exclusion><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId></exclusion>`
  })
  return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version><exclusions>${excluded.join('')}</exclusions></dependency>\n`
}
