#!/usr/bin/env node
/** `npx kafkawire COMMAND …` */
interface Command {
  readonly summary: string
  readonly usage: string
  run(args: readonly string[], print: (line: string) => void): Promise<number>
}

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  broker: () => import('./broker.ts'),
  decode: () => import('./decode.ts'),
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    console.log(await overview())
    return 0
  }
  const load = COMMANDS[name]
  if (!load) {
    console.error(`kafkawire: there is no command ${name}\n\n${await overview()}`)
    return 2
  }
  const command = await load()
  if (args.includes('--help') || args.includes('-h')) {
    console.log(command.usage)
    return 0
  }
  return command.run(args, console.log)
}

async function overview(): Promise<string> {
  const rows = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => `  ${name.padEnd(8)} ${(await load()).summary}`),
  )
  return ['kafkawire COMMAND [options]', '', ...rows, '', 'kafkawire COMMAND --help says more.'].join('\n')
}

main(process.argv.slice(2)).then(
  code => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(`kafkawire: ${error instanceof Error ? error.message : error}`)
    process.exitCode = 2
  },
)
