/**
 * What Connect workers tell one another through the coordinator of their group. Version 0 is the eager protocol, 1 the
 * incremental one (KIP-415), 2 the same with signed requests between workers (KIP-507).
 */
import { array, bytes, type Decoded, type Encodable, int16, int32, int64, message, string } from '../schema.ts'
import { decodeVersioned, encodeVersioned } from './versioned.ts'

/** JoinGroup's `metadata` of a worker. */
export const ConnectWorkerState = message({
  name: 'ConnectWorkerState',
  versions: [0, 2],
  shape: {
    /** Where other workers reach its REST API. */
    url: string,
    /** Offset in the config topic up to which it has read. */
    configOffset: int64,
    /** What it runs now: a ConnectAssignment with its version in front; null for nothing. */
    allocation: bytes.since(1).nullable().default(null).ignorable(),
  },
})

const connectorTasks = {
  /** Name of the connector. */
  connector: string,
  /** Task numbers; -1 is the connector itself. */
  tasks: array(int32),
}

/** SyncGroup's `assignment` of a worker. */
export const ConnectAssignment = message({
  name: 'ConnectAssignment',
  versions: [0, 2],
  shape: {
    /** 0, or 1 when the leader had not read the config topic far enough to assign anything. */
    error: int16,
    /** Member id of the worker that leads. */
    leader: string,
    /** Where that one's REST API is reached. */
    leaderUrl: string,
    /** Offset in the config topic that the assignment rests on. */
    configOffset: int64,
    /** What the worker is to run; in version 0 all of it, later what is added. */
    assignment: array(connectorTasks).nullableSince(1),
    /** What it has to stop. */
    revoked: array(connectorTasks).since(1).nullable().default(null),
    /** How long it waits before it joins again, in milliseconds. */
    delay: int32.since(1),
  },
})

/** A worker's state as JoinGroup's `metadata`: int16 version, then the body. */
export const encodeWorkerState = (value: Encodable<typeof ConnectWorkerState>, version = 2): Buffer =>
  encodeVersioned(ConnectWorkerState, version, value)
/** Reads JoinGroup's `metadata` of a worker. Throws ProtocolError. */
export const decodeWorkerState = (bytes: Uint8Array): Decoded<typeof ConnectWorkerState> & { readonly version: number } =>
  decodeVersioned(ConnectWorkerState, bytes)
/** An assignment as SyncGroup's `assignment`: int16 version, then the body. */
export const encodeWorkerAssignment = (value: Encodable<typeof ConnectAssignment>, version = 2): Buffer =>
  encodeVersioned(ConnectAssignment, version, value)
/** Reads SyncGroup's `assignment` of a worker. Throws ProtocolError. */
export const decodeWorkerAssignment = (bytes: Uint8Array): Decoded<typeof ConnectAssignment> & { readonly version: number } =>
  decodeVersioned(ConnectAssignment, bytes)
