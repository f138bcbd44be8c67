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
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Subscription,
} from './group/index.ts'
export { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from './header.ts'
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
export { Reader, type UnknownTags, unknownTags, Writer } from './wire.ts'
