/** Formats that group members exchange through the coordinator. */
export * from './connect-protocol.ts'
export * from './consumer-protocol.ts'
export * from './streams-protocol.ts'
