export type { SaslAuthenticator, SaslContext, SaslSession } from './sasl.ts'
