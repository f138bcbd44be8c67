/** Formats that group members exchange through the coordinator. */
export * from './consumer-protocol.ts'
