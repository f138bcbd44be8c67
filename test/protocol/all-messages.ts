import * as group from '../../src/protocol/group/index.ts'
import { RequestHeader, ResponseHeader } from '../../src/protocol/header.ts'
import * as internal from '../../src/protocol/internal/index.ts'
import { allApis } from '../../src/protocol/registry.ts'
import type { Message } from '../../src/protocol/schema.ts'

/** Every message that has a schema: both sides of every API, headers, embedded and internal formats. */
export const allMessages: readonly Message[] = [
  ...allApis.flatMap(api => [api.request, api.response]),
  RequestHeader,
  ResponseHeader,
  ...messagesIn(group),
  ...messagesIn(internal),
]

/** The messages among the exports of a module. */
function messagesIn(module: object): Message[] {
  return Object.values(module).filter(each => typeof each === 'object' && each !== null && 'shape' in each)
}

export function* everyVersion(messages: readonly Message[] = allMessages): Generator<[message: Message, version: number]> {
  for (const message of messages)
    for (let version = message.versions[0]; version <= message.versions[1]; version++) yield [message, version]
}
