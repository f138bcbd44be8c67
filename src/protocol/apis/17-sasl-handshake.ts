import { anyBroker, api, array, errorCode, string } from '../schema.ts'

export const SaslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  route: anyBroker,
  request: {
    mechanism: string,
  },
  response: {
    errorCode: errorCode,
    mechanisms: array(string),
  },
})
