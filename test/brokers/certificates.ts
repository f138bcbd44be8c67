// Throw-away keys for the TLS listeners, made by the JDK's own keytool.
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificates {
  readonly password: string
  /** PKCS#12 file with the broker's key; its certificate names localhost and 127.0.0.1. */
  readonly serverKeystore: string
  /** PKCS#12 file with the certificates the broker trusts: its own and the client's. */
  readonly truststore: string
  /** PEM of the broker's (self-signed) certificate: what a client passes as `ca`. */
  readonly ca: string
  /** PKCS#12 bytes of a client the broker trusts: `pfx` of node:tls, with `passphrase`. Its subject is CN=client. */
  readonly clientPfx: Buffer
}

export async function makeCertificates(directory: string): Promise<Certificates> {
  mkdirSync(directory, { recursive: true })
  const password = 'changeit'
  const path = (name: string) => join(directory, name)
  const keytool = (...args: string[]) => promisify(execFile)('keytool', [...args, '-storepass', password])
  const generate = (alias: string, dname: string, extra: string[]) =>
    keytool('-genkeypair', '-alias', alias, '-keyalg', 'RSA', '-keysize', '2048', '-dname', dname, '-validity', '30', ...extra,
      '-storetype', 'PKCS12', '-keystore', path(`${alias}.p12`)) // biome-ignore format: one command line
  const exportPem = (alias: string) =>
    keytool('-exportcert', '-rfc', '-alias', alias, '-keystore', path(`${alias}.p12`), '-file', path(`${alias}.pem`))
  const trust = (alias: string) =>
    keytool(
      '-importcert',
      '-noprompt',
      '-alias',
      alias,
      '-file',
      path(`${alias}.pem`),
      '-storetype',
      'PKCS12',
      '-keystore',
      path('trust.p12'),
    )
  await Promise.all([
    generate('server', 'CN=localhost', ['-ext', 'SAN=DNS:localhost,IP:127.0.0.1']),
    generate('client', 'CN=client', []),
  ])
  await Promise.all([exportPem('server'), exportPem('client')])
  await trust('server')
  await trust('client')
  return {
    password,
    serverKeystore: path('server.p12'),
    truststore: path('trust.p12'),
    ca: readFileSync(path('server.pem'), 'utf8'),
    clientPfx: readFileSync(path('client.p12')),
  }
}
