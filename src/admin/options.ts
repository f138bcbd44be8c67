import type { Client } from '../client/client.ts'
import type { ClientOptionsInput } from '../client/options.ts'

/** What `new Admin` takes: the options of a client, or a client that is already there. */
export type AdminOptionsInput = ClientOptionsInput | { readonly client: Client }
