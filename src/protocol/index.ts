/**
 * Kafka's wire protocol: bytes ⇄ values, for both sides of a connection. No clock, socket or logger.
 *
 *   const [prefix, ...] = encodeRequest(Metadata, 12, { correlationId: 1, clientId: 'me' }, { topics: null })
 *   const answer = decodeResponse(Metadata, 12, frame)
 */

export * from './apis/index.ts'
export { type Codec, codec } from './compile.ts'
export { type Action, brokerError, ErrorCode, type ErrorRow, errorRow, errorRows } from './error-codes.ts'
export {
  decodeMessage,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeMessage,
  encodeRequest,
  encodeResponse,
  peekCorrelationId,
  type RequestEnvelope,
} from './frame.ts'
export {
  type Assignment,
  ConnectAssignment,
  ConnectWorkerState,
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  decodeAssignment,
  decodeStreamsAssignment,
  decodeStreamsSubscription,
  decodeSubscription,
  decodeWorkerAssignment,
  decodeWorkerState,
  encodeAssignment,
  encodeStreamsAssignment,
  encodeStreamsSubscription,
  encodeSubscription,
  encodeWorkerAssignment,
  encodeWorkerState,
  StreamsAssignmentInfo,
  StreamsSubscriptionInfo,
  type Subscription,
} from './group/index.ts'
export { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from './header.ts'
export {
  EndTxnMarker,
  type InternalRecord,
  KRaftVersionRecord,
  LeaderChangeMessage,
  readInternalRecord,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
} from './internal/index.ts'
export {
  BatchBuilder,
  type BatchBuilderOptions,
  type BatchMeta,
  type Codec as CompressionCodec,
  type ControlRecord,
  crc32c,
  EncodedBatch,
  encodedBatches,
  type OpenOptions,
  RecordBatch,
  type RecordHeader,
  type RecordInput,
  readControlRecord,
  type TimestampType,
} from './records/index.ts'
export { allApis, apiByKey } from './registry.ts'
export {
  type Api,
  anyBroker,
  api,
  array,
  bool,
  brokerId,
  bytes,
  controller,
  coordinator,
  type Decoded,
  type Encodable,
  eachBroker,
  errorCode,
  type Field,
  float64,
  groupId,
  int8,
  int16,
  int32,
  int64,
  leader,
  legacyString,
  type Message,
  message,
  NO_UUID,
  type Presence,
  type Primitive,
  producerId,
  type Route,
  type RoutedPart,
  records,
  type Shape,
  string,
  struct,
  throttleTimeMs,
  timeoutMs,
  topicName,
  transactionalId,
  uint16,
  uuid,
  type Versions,
  type Wire,
} from './schema.ts'
export { type Fault, faultOf, type TraceNode, trace } from './trace.ts'
export { Reader, unknownTags, Writer } from './wire.ts'
