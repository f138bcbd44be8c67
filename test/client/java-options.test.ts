import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type JavaProperties, optionsFromProperties } from '../../src/client/java-options.ts'
import { clientOptionsShape, javaNames } from '../../src/client/options.ts'
import { ConfigError } from '../../src/errors.ts'
import { Kafka } from '../../src/kafka.ts'

const folder = mkdtempSync(join(tmpdir(), 'java-options-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, text: string) => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
const convert = (properties: JavaProperties) => optionsFromProperties(properties, clientOptionsShape, javaNames)
const issueOf = (work: () => unknown): { path: string; message: string } | undefined => {
  try {
    work()
  } catch (error) {
    if (error instanceof ConfigError) return error.issues[0]
    throw error
  }
  return undefined
}

describe("options from Java's properties", () => {
  test('texts become what the option is', () => {
    const { options } = convert({
      'bootstrap.servers': 'a:1,b:2',
      'client.id': '42',
      'request.timeout.ms': '1000',
      'enable.metrics.push': 'FALSE',
      'metadata.recovery.strategy': 'REBOOTSTRAP',
      'retry.backoff.ms': 5,
      'client.rack': null,
    })
    expect(options).toEqual({
      bootstrapServers: 'a:1,b:2',
      clientId: '42',
      requestTimeoutMs: 1000,
      enableMetricsPush: false,
      metadataRecoveryStrategy: 'rebootstrap',
      retryBackoffMs: 5,
    })
  })

  test('TLS from PEM texts and PEM files', () => {
    const ca = file('ca.pem', 'THE CA')
    const both = file('both.pem', 'KEY AND CHAIN')
    expect(
      convert({
        'security.protocol': 'ssl',
        'ssl.truststore.type': 'PEM',
        'ssl.truststore.location': ca,
        'ssl.keystore.certificate.chain': 'CHAIN',
        'ssl.keystore.key': 'KEY',
        'ssl.key.password': 'pass',
        'ssl.enabled.protocols': 'TLSv1.2,TLSv1.3',
        'ssl.cipher.suites': 'A,B',
      }).options.tls,
    ).toEqual({
      ca: 'THE CA',
      cert: 'CHAIN',
      key: 'KEY',
      passphrase: 'pass',
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ciphers: 'A:B',
    })
    const fromStore = convert({ 'security.protocol': 'SSL', 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': both }).options
      .tls
    expect(fromStore).toEqual({ cert: 'KEY AND CHAIN', key: 'KEY AND CHAIN' })
    const unverified = convert({ 'security.protocol': 'SSL', 'ssl.endpoint.identification.algorithm': '' }).options.tls
    expect(unverified).toHaveProperty('checkServerIdentity')
    expect(convert({ 'security.protocol': 'PLAINTEXT', 'ssl.keystore.key': 'KEY' }).options).not.toHaveProperty('tls')
  })

  test('what security.protocol does not ask for is told to have no effect', () => {
    const jaas = 'x required username="a" password="b";'
    const given = { 'ssl.keystore.key': 'KEY', 'sasl.mechanism': 'PLAIN', 'sasl.jaas.config': jaas }
    expect(convert(given)).toEqual({ options: {}, unused: Object.keys(given) })
    expect(convert({ ...given, 'security.protocol': 'SASL_PLAINTEXT' }).unused).toEqual(['ssl.keystore.key'])
    expect(convert({ ...given, 'security.protocol': 'SASL_SSL' }).unused).toEqual([])
  })

  test.each([
    [`username="u" password="p w"`, 'p w'],
    [`username='u' password='p w'`, 'p w'],
    [`username='u' password='p"w;x'`, 'p"w;x'],
    [`username="u" password="p'w;x=1"`, "p'w;x=1"],
    ['username="u" password="say password=\\"no\\""', 'say password="no"'],
    ['username="u" password="a\\tb\\\\c\\101\\78"', 'a\tb\\cA\x078'],
    ["username='u'\n  password='it\\'s'", "it's"],
    ['username=u password=pw', 'pw'],
    ['username="u" password=""', ''],
    ['/* password="old" */ username="u" // password="older"\n password="new"', 'new'],
    ['username="u" password="http://a/*b*/"', 'http://a/*b*/'],
  ])("the login module's %s is read as Java does", (text, password) => {
    const { options } = convert({
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'PLAIN',
      'sasl.jaas.config': `a.b.PlainLoginModule required ${text};`,
    })
    expect(options.sasl).toEqual({ mechanism: 'PLAIN', username: 'u', password })
  })

  test.each([
    ['ssl.truststore.location', { 'ssl.truststore.type': 'PEM' }],
    ['ssl.keystore.location', { 'ssl.keystore.type': 'PEM' }],
    ['ssl.keystore.location', { 'ssl.keystore.type': 'PKCS12' }],
  ])('%s that cannot be read, %j', (key, type) => {
    const issue = issueOf(() => convert({ 'security.protocol': 'SSL', ...type, [key]: join(folder, 'nowhere') }))
    expect(issue).toEqual({
      path: key,
      message: expect.stringMatching(/^cannot be read \(ENOENT.*nowhere.*\): correct the path/),
    })
  })

  test('SASL from the login module', () => {
    const jaas =
      'org.apache.kafka.common.security.scram.ScramLoginModule required username="a\\"b" password=\'c d\' tokenauth="true";'
    expect(
      convert({
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': 'SCRAM-SHA-512',
        'sasl.jaas.config': jaas.replace("'c d'", '"c d"'),
      }).options.sasl,
    ).toEqual({ mechanism: 'SCRAM-SHA-512', username: 'a"b', password: 'c d', tokenAuth: true })
    expect(
      convert({
        'security.protocol': 'SASL_SSL',
        'sasl.mechanism': 'OAUTHBEARER',
        'sasl.oauthbearer.token.endpoint.url': 'https://id/token',
        'sasl.jaas.config': 'x required clientId="me" clientSecret="s" scope="kafka" extension_logicalCluster="lkc";',
      }).options.sasl,
    ).toEqual({
      mechanism: 'OAUTHBEARER',
      oidc: { tokenEndpoint: 'https://id/token', clientId: 'me', clientSecret: 's', scope: 'kafka', urlEncode: false },
      extensions: { logicalCluster: 'lkc' },
    })
  })

  const login = {
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': 'x required username="a" password="b";',
  }
  const bearer = {
    'security.protocol': 'SASL_SSL',
    'sasl.mechanism': 'OAUTHBEARER',
    'sasl.oauthbearer.token.endpoint.url': 'https://id/token',
    'sasl.jaas.config': 'x required clientId="me" clientSecret="s";',
  }

  test("what a Java client needs to log in by OpenID Connect has Java's own classes in it", () => {
    const oauth = 'org.apache.kafka.common.security.oauthbearer'
    const { options, unused } = convert({
      ...bearer,
      'sasl.login.callback.handler.class': `${oauth}.OAuthBearerLoginCallbackHandler`,
      'sasl.oauthbearer.jwt.retriever.class': `${oauth}.DefaultJwtRetriever`,
      'sasl.login.refresh.window.factor': '0.8',
      'sasl.oauthbearer.sub.claim.name': 'sub',
    })
    expect(options.sasl).toMatchObject({ mechanism: 'OAUTHBEARER', oidc: { clientId: 'me' } })
    expect(unused).toEqual(['sasl.login.refresh.window.factor', 'sasl.oauthbearer.sub.claim.name'])
  })

  test.each([
    [{ 'security.protocol': 'TLS' }, 'security.protocol', /SASL_SSL/],
    [{ 'security.protocol': 'SASL_SSL' }, 'sasl.mechanism', /GSSAPI.*not built in/],
    [{ 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'PLAIN' }, 'sasl.jaas.config', /lacks username/],
    [{ 'security.protocol': 'SSL', 'ssl.truststore.location': '/x.jks' }, 'ssl.truststore.location', /convert it to PEM/],
    [
      { 'security.protocol': 'SSL', 'ssl.trustore.location': '/x' },
      'ssl.trustore.location',
      /^unknown property: did you mean ssl\.truststore\.location\?$/,
    ],
    [
      { 'ssl.truststore.locaton': '/x' },
      'ssl.truststore.locaton',
      /^unknown property: did you mean ssl\.truststore\.location\?$/,
    ],
    [
      { 'security.protocol': 'SSL', 'ssl.endpoint.identification.algorithm': 'foo' },
      'ssl.endpoint.identification.algorithm',
      /https.*or nothing/,
    ],
    [{ 'security.protocol': 'SSL', 'ssl.engine.factory.class': 'x' }, 'ssl.engine.factory.class', /tls option/],
    [{ ...login, 'sasl.client.callback.handler.class': 'x' }, 'sasl.client.callback.handler.class', /sasl option/],
    [{ ...login, 'sasl.login.callback.handler.class': 'x' }, 'sasl.login.callback.handler.class', /sasl option/],
    [{ ...login, 'sasl.login.class': 'x' }, 'sasl.login.class', /sasl option/],
    [{ ...login, 'sasl.mechanisms': 'PLAIN' }, 'sasl.mechanisms', /^unknown property: did you mean sasl\.mechanism\?$/],
    [{ ...bearer, 'sasl.oauthbearer.assertion.file': '/x' }, 'sasl.oauthbearer.assertion.file', /token function/],
    [
      { ...bearer, 'sasl.oauthbearer.scop': 'x' },
      'sasl.oauthbearer.scop',
      /^unknown property: did you mean sasl\.oauthbearer\.scope\?$/,
    ],
    [{ ...bearer, 'sasl.oauthbearer.jwt.retriever.class': 'x' }, 'sasl.oauthbearer.jwt.retriever.class', /token function/],
  ])('%j is refused, with the way out', (properties: Record<string, string>, path, message) => {
    const issue = issueOf(() => convert(properties))
    expect(issue?.path).toBe(path)
    expect(issue?.message).toMatch(message)
  })

  test.each([
    ['security.protocol', { 'security.protocol': 'hunter2' }],
    ['sasl.mechanism', { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'hunter2' }],
    ['ssl.endpoint.identification.algorithm', { 'security.protocol': 'SSL', 'ssl.endpoint.identification.algorithm': 'hunter2' }],
    [
      'ssl.truststore.location',
      { 'security.protocol': 'SSL', 'ssl.truststore.type': 'hunter2', 'ssl.truststore.location': '/x' },
    ],
  ])('a secret put by mistake where %s takes one of a few names is not repeated', (path, properties) => {
    const issue = issueOf(() => convert(properties))
    expect(issue?.path).toBe(path)
    expect(issue?.message).not.toMatch(/hunter2/i)
  })
})

describe('Kafka as a profile', () => {
  test('keys of producer and consumer become defaults of what it makes; machinery of Java is passed over', async () => {
    const warned: object[] = []
    const logger = { debug() {}, info() {}, warn: (fields: object) => warned.push(fields), error() {}, child: () => logger }
    const kafka = Kafka.fromProperties(
      {
        'bootstrap.servers': 'localhost:1',
        'group.id': 'g',
        'linger.ms': '-17',
        'max.poll.records': '3',
        'key.serializer': 'org.apache.kafka.common.serialization.StringSerializer',
      },
      { logger },
    )
    expect(warned).toEqual([{ keys: ['key.serializer'] }])
    const consumer = kafka.consumer({ maxPollRecords: 4 })
    expect(consumer.options).toMatchObject({ groupId: 'g', maxPollRecords: 4 })
    await consumer.close()
    expect(issueOf(() => kafka.producer())?.path).toBe('lingerMs')
  })

  const own = { mechanism: 'GSSAPI', start: () => Promise.reject(new Error('not today')) }
  const bearer = { mechanism: 'OAUTHBEARER', token: () => 'x' } as const
  const tls = { ca: 'x' }
  test.each([
    [{ 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'GSSAPI' }, { sasl: own }],
    [{ 'security.protocol': 'SASL_SSL' }, { sasl: own }],
    [{ 'security.protocol': 'SASL_SSL', 'sasl.login.callback.handler.class': 'my.Handler' }, { sasl: bearer }],
    [{ 'security.protocol': 'SASL_SSL', 'sasl.oauthbearer.assertion.file': '/x' }, { sasl: bearer }],
    [{ 'security.protocol': 'SSL', 'ssl.truststore.location': '/x.jks' }, { tls }],
    [{ 'security.protocol': 'SSL', 'ssl.engine.factory.class': 'my.Engine' }, { tls }],
  ])('what only Java can follow in %j is replaced by the option given beside it', ({ ...properties }, more) => {
    const warned: object[] = []
    const logger = { debug() {}, info() {}, warn: (fields: object) => warned.push(fields), error() {}, child: () => logger }
    const { options } = Kafka.fromProperties({ 'bootstrap.servers': 'a:1', ...properties }, { ...more, logger }).client()
    expect(options.tls).toBeTypeOf('function')
    if ('sasl' in more) expect(options.sasl?.mechanism).toBe(more.sasl.mechanism)
    const keys = Object.keys(properties).filter(key => key !== 'security.protocol')
    expect(warned).toEqual(keys.length > 0 ? [{ keys }] : [])
    // The other half is still taken from the properties, or refused.
    const elsewhere = 'sasl' in more ? { tls } : { sasl: own }
    expect(issueOf(() => Kafka.fromProperties({ 'bootstrap.servers': 'a:1', ...properties }, elsewhere))).toBeDefined()
  })

  test('a key that nobody knows is refused by name', () => {
    const issue = issueOf(() => Kafka.fromProperties({ 'bootstrap.servers': 'a:1', 'request.timout.ms': '1' }))
    expect(issue).toEqual({ path: 'request.timout.ms', message: 'unknown option: did you mean request.timeout.ms?' })
  })

  test('from the environment', () => {
    const env = {
      KAFKA_BOOTSTRAP_SERVERS: 'a:1',
      KAFKA_CLIENT_ID: 'x',
      KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      KAFKA_SASL_MECHANISM: 'PLAIN',
      KAFKA_SASL_USERNAME: 'me',
      KAFKA_SASL_PASSWORD: 'my "own" \\ secret',
      KAFKA_HEAP_OPTS: '-Xmx1g',
      PATH: '/bin',
    }
    const client = Kafka.fromEnv(env).client()
    expect(client.options).toMatchObject({
      clientId: 'x',
      bootstrapServers: [{ host: 'a', port: 1 }],
      sasl: { mechanism: 'PLAIN' },
    })
    expect(client.options.tls).toBeTypeOf('function')
    expect(issueOf(() => Kafka.fromEnv({ PATH: '/bin' }))?.path).toBe('KAFKA_BOOTSTRAP_SERVERS')
  })

  test('a profile opens nothing, and shows no credentials', () => {
    const kafka = new Kafka({
      bootstrapServers: 'a:1',
      sasl: { mechanism: 'PLAIN', username: 'u', password: 'hidden-one' },
      tls: { key: 'hidden-two' },
    })
    const client = kafka.client()
    for (const shown of [kafka, client.options]) expect(JSON.stringify(shown)).not.toMatch(/hidden/)
  })
})
