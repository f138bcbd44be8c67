import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheDirectory } from '../test/java/jars.ts'

/** Path of one jar of a Kafka release, such as `kafka-clients`, fetched once by Maven. Throws when Maven cannot. */
export async function releaseJar(artifact: string, version: string): Promise<string> {
  const folder = join(cacheDirectory(), 'single-jars')
  const name = `${artifact}-${version}.jar`
  const jar = join(folder, name)
  if (existsSync(jar)) return jar
  mkdirSync(folder, { recursive: true })
  // Into a folder of its own first: another process may fetch the same.
  const work = mkdtempSync(join(folder, '.fetching-'))
  try {
    const coordinates = `-Dartifact=org.apache.kafka:${artifact}:${version}`
    await promisify(execFile)('mvn', ['-q', '-B', '-ntp', 'dependency:copy', coordinates, `-DoutputDirectory=${work}`])
    renameSync(join(work, name), jar)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return jar
}
