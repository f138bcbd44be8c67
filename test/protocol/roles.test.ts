import { expect, test } from 'vitest'
import { allApis } from '../../src/protocol/registry.ts'
import type { AnyField, Role, Shape, Wire } from '../../src/protocol/schema.ts'

/** Error codes about something else than what the answer around them is about. */
const NOT_OF_THE_ANSWER = ['topicConfigErrorCode', 'acknowledgeErrorCode']

const shapeOf = (wire: Wire): Shape => (wire.kind === 'struct' ? wire.shape : wire.kind === 'array' ? shapeOf(wire.element) : {})
const fieldsOf = (shape: Shape, path: string): [path: string, name: string, field: AnyField][] =>
  Object.entries(shape).flatMap(([name, field]) => [
    [`${path}.${name}`, name, field],
    ...fieldsOf(shapeOf(field.wire), `${path}.${name}`),
  ])

function roleOf(name: string): Role | undefined {
  if (name === 'throttleTimeMs' || name === 'timeoutMs') return name
  return /errorCode$/i.test(name) && !NOT_OF_THE_ANSWER.includes(name) ? 'errorCode' : undefined
}

test('what clients look for in every message, error codes, throttling and timeouts, is declared as that, and nothing else is', () => {
  const fields = allApis
    .flatMap(({ request, response }) => [request, response])
    .flatMap(({ name, shape }) => fieldsOf(shape, name))
  const wrong = fields.filter(([, name, { presence }]) => presence.role !== roleOf(name)).map(([path]) => path)
  expect(wrong).toEqual([])
})
