// npm test: every suite, the conformance suite on every broker this machine can have, and a summary in the last lines.
//
//   npm test                      all suites
//   npm run test:real             conformance on genuine Kafka only; fails where none can be had
//   npm run test:generations      conformance on every release the harness knows (0.10.2 … 4.4)
//
// KAFKAWIRE_REQUIRE_REAL=1        npm test fails, too, when no genuine Kafka could be had
// KAFKAWIRE_TEST_RELEASES=a,b     releases to run on the JVM (default 4.4.0)
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { availableKinds, type BrokerKind } from '../test/brokers/choice.ts'
import { isKafkaRelease, kafkaReleases } from '../test/java/jars.ts'

interface Stage {
  readonly project: 'unit' | 'package' | 'oracle' | 'foreign' | 'conformance' | 'real'
  readonly broker?: BrokerKind
  readonly release?: string
}

interface Outcome {
  readonly stage: Stage
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly failures: readonly string[]
  /** The broker as global-setup.ts described it. */
  readonly broker: string | undefined
  readonly seconds: number
}

/** The part of vitest's JSON report that counts. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly message: string
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

const { values: flags } = parseArgs({ options: { real: { type: 'boolean' }, generations: { type: 'boolean' } } })
const root = join(import.meta.dirname, '..')
const reports = mkdtempSync(join(tmpdir(), 'kafkawire-reports-'))
process.once('exit', () => rmSync(reports, { recursive: true, force: true }))

const kinds = await availableKinds()
const real = kinds.filter(kind => kind !== 'embedded')
const requireReal = Boolean(flags.real || flags.generations || process.env.KAFKAWIRE_REQUIRE_REAL)
const problems: string[] = []
if (requireReal && real.length === 0)
  problems.push('no genuine Kafka could be had: install Java 17 and Maven, start a Docker engine, or set KAFKA_BOOTSTRAP_SERVERS')

// A container engine without Java would do for the suites, but nothing would judge the bytes.
if (process.env.KAFKAWIRE_REQUIRE_REAL && !flags.real && !flags.generations && !kinds.includes('jvm'))
  problems.push('the oracles could not run: install Java 17 and Maven')

const outcomes: Outcome[] = []
for (const stage of plan()) outcomes.push(await run(stage))
report()

function plan(): Stage[] {
  const onBroker = (broker: BrokerKind): Stage[] =>
    broker === 'jvm'
      ? releases().map(release => ({ project: 'conformance', broker, release }))
      : [{ project: 'conformance', broker }]
  if (flags.generations) return kinds.includes('jvm') ? onBroker('jvm') : []
  const elections: Stage[] = kinds.includes('jvm') ? [{ project: 'real' }] : []
  if (flags.real) return [...real.flatMap(onBroker), ...elections]
  return [
    { project: 'unit' },
    { project: 'package' },
    ...(kinds.includes('jvm') ? [{ project: 'oracle' } as const] : []),
    { project: 'foreign' },
    ...onBroker('embedded'),
    ...real.flatMap(onBroker),
    ...elections,
  ]
}

function releases(): string[] {
  const wanted = flags.generations ? Object.keys(kafkaReleases) : (process.env.KAFKAWIRE_TEST_RELEASES ?? '4.4.0').split(',')
  for (const release of wanted)
    if (!isKafkaRelease(release))
      throw new Error(`KAFKAWIRE_TEST_RELEASES: ${release} is not one of ${Object.keys(kafkaReleases).join(', ')}`)
  return wanted
}

async function run(stage: Stage): Promise<Outcome> {
  const title = [stage.project, stage.broker, stage.release].filter(Boolean).join(' ')
  console.log(`\n=== ${title}`)
  const json = join(reports, `${outcomes.length}.json`)
  const brokers = join(reports, `${outcomes.length}.brokers`)
  const started = performance.now()
  const exitCode = await vitest(
    ['run', '--project', stage.project, '--reporter=default', '--reporter=json', `--outputFile.json=${json}`],
    {
      KAFKAWIRE_TEST_REPORT: brokers,
      ...(stage.broker ? { KAFKAWIRE_TEST_BROKER: stage.broker } : {}),
      ...(stage.release ? { KAFKAWIRE_TEST_KAFKA_VERSION: stage.release } : {}),
    },
  )
  const result = read<Report>(json)
  const results = result?.testResults ?? []
  const failures = results.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter(test => test.status === 'failed').map(test => `${name}: ${test.fullName}`)
    // A file that could not be loaded has no failed test of its own.
    return failed.length === 0 && status === 'failed' ? [`${name}: ${message.split('\n')[0]}`] : failed
  })
  const passed = result?.numPassedTests ?? 0
  // Without any client of other makers there is nothing to run, and the summary says so.
  const optional = stage.project === 'foreign' && (result?.numPendingTests ?? 0) > 0
  if (passed === 0 && failures.length === 0 && !optional) failures.push(`${title}: no test ran`)
  // Unhandled errors, or a broker that did not start, fail the run without failing a test.
  if (exitCode !== 0 && failures.length === 0) failures.push(`${title}: vitest ended with ${exitCode}`)
  return {
    stage,
    passed,
    failed: failures.length,
    skipped: result?.numPendingTests ?? 0,
    failures,
    broker: readText(brokers)?.trim(),
    seconds: (performance.now() - started) / 1000,
  }
}

function vitest(args: string[], env: Record<string, string>): Promise<number | NodeJS.Signals> {
  const child = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: 'inherit',
  })
  // The terminal sends Ctrl-C to both; vitest ends its brokers, and we wait for it.
  const interrupted = () => {
    process.exitCode = 130
  }
  process.on('SIGINT', interrupted)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      process.off('SIGINT', interrupted)
      if (process.exitCode === 130) process.exit()
      resolve(code ?? signal ?? 1)
    })
  })
}

function report(): void {
  console.log('\n=== summary')
  for (const failure of outcomes.flatMap(({ failures }) => failures)) console.log(`FAILED ${failure}`)
  for (const problem of problems) console.log(`FAILED ${problem}`)
  for (const { stage, passed, failed, skipped, seconds, broker } of outcomes) {
    const counts = `${passed} passed, ${failed} failed${skipped ? `, ${skipped} not applicable` : ''} in ${seconds.toFixed(0)} s`
    console.log(`${stage.project.padEnd(12)} ${counts}${broker ? `, on ${broker}` : ''}`)
  }
  if (!kinds.includes('jvm') && !flags.real) console.log('oracle       not run: it needs Java 17 and Maven')
  const brokers = outcomes
    .filter(({ stage }) => stage.project === 'conformance')
    .map(({ broker, stage }) => broker ?? `${stage.broker} (not started)`)
  console.log(`conformance ran on: ${brokers.join('; ') || 'no broker'}`)
  if (real.length === 0)
    console.log('no genuine Kafka among them: install Java 17 and Maven, start a Docker engine, or set KAFKA_BOOTSTRAP_SERVERS')
  const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + pick(outcome), 0)
  const failed = sum(outcome => outcome.failed) + problems.length + (outcomes.length === 0 && problems.length === 0 ? 1 : 0)
  console.log(`${sum(outcome => outcome.passed)} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

function read<T>(file: string): T | undefined {
  const text = readText(file)
  return text === undefined ? undefined : (JSON.parse(text) as T)
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
