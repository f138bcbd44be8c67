/** The error codes of Kafka 4.4.0, one line each. What they are for: error-codes.ts. */

/**
 * What a client has to do about an error:
 * - `none`: nothing failed
 * - `fail`: give up and tell the caller
 * - `retry`: the same request again, after the backoff
 * - `refresh-metadata`: learn topics, leaders or the controller anew, then again
 * - `find-coordinator`: look the coordinator up again, then again
 * - `rejoin`: the group moved on: give up the assignment and join again
 * - `new-member-id`: join again under the member id of the answer, or under none
 * - `reset-offset`: the position does not exist: apply `autoOffsetReset`
 * - `bump-epoch`: sequences are lost: raise the producer epoch, then number the unsent batches anew
 * - `abort`: the transaction cannot commit; abort it, and the next one may succeed
 * - `fence`: another client took over this identity: stop for good
 */
export type Action =
  | 'none'
  | 'fail'
  | 'retry'
  | 'refresh-metadata'
  | 'find-coordinator'
  | 'rejoin'
  | 'new-member-id'
  | 'reset-offset'
  | 'bump-epoch'
  | 'abort'
  | 'fence'

export interface ErrorEntry<Code extends number> {
  readonly code: Code
  readonly action: Action
  readonly retriable: boolean
  readonly message: string
}
const final = <const Code extends number>(code: Code, action: Action, message: string): ErrorEntry<Code> => ({
  code,
  action,
  retriable: false,
  message,
})
const passing = <const Code extends number>(code: Code, action: Action, message: string): ErrorEntry<Code> => ({
  code,
  action,
  retriable: true,
  message,
})

/** By Kafka's name. */
export const errorTable = {
  UNKNOWN_SERVER_ERROR: final(-1, 'fail', 'the broker met an error it has no code for: see its log'),
  NONE: final(0, 'none', 'no error'),
  OFFSET_OUT_OF_RANGE: final(
    1,
    'reset-offset',
    'the log has no such offset, it was deleted or not yet written: seek to one between the beginning and the end offset',
  ),
  CORRUPT_MESSAGE: passing(
    2,
    'retry',
    'the broker found a checksum, size or null key it cannot accept: give every record of a compacted topic a key, and suspect the network otherwise',
  ),
  UNKNOWN_TOPIC_OR_PARTITION: passing(
    3,
    'refresh-metadata',
    'the broker does not know this topic or partition: create the topic, check its spelling, or give a new one time to spread',
  ),
  INVALID_FETCH_SIZE: final(4, 'fail', 'the fetch size is not acceptable: make it positive'),
  LEADER_NOT_AVAILABLE: passing(
    5,
    'refresh-metadata',
    'the partition has no leader right now: wait for the election, and check its replicas if that lasts',
  ),
  NOT_LEADER_OR_FOLLOWER: passing(
    6,
    'refresh-metadata',
    'the broker no longer holds this partition in that role: ask the current leader',
  ),
  REQUEST_TIMED_OUT: passing(
    7,
    'retry',
    'the broker could not finish in the time the request gave it: raise the timeout or look for overloaded replicas',
  ),
  BROKER_NOT_AVAILABLE: final(8, 'refresh-metadata', 'the broker is not available: check that it is running'),
  REPLICA_NOT_AVAILABLE: passing(
    9,
    'refresh-metadata',
    'a replica of the partition is not available: check the broker that holds it',
  ),
  MESSAGE_TOO_LARGE: final(
    10,
    'fail',
    'the batch is larger than the topic takes: raise its max.message.bytes, or lower batchBytes or the size of your records',
  ),
  STALE_CONTROLLER_EPOCH: final(11, 'fail', 'the controller moved meanwhile: repeat the operation'),
  OFFSET_METADATA_TOO_LARGE: final(
    12,
    'fail',
    'the metadata text of a committed offset is too long: shorten it or raise offset.metadata.max.bytes',
  ),
  NETWORK_EXCEPTION: passing(
    13,
    'refresh-metadata',
    'a connection between brokers broke before the answer came: repeat the request',
  ),
  COORDINATOR_LOAD_IN_PROGRESS: passing(14, 'retry', 'the coordinator is still reading its log: give it a moment'),
  COORDINATOR_NOT_AVAILABLE: passing(
    15,
    'find-coordinator',
    'there is no coordinator right now: check that the internal topics can be created with as many brokers as are running',
  ),
  NOT_COORDINATOR: passing(16, 'find-coordinator', 'another broker coordinates this group or transactional id: look it up again'),
  INVALID_TOPIC_EXCEPTION: final(
    17,
    'fail',
    'the topic name or its use is not allowed: use at most 249 letters, digits, dots, hyphens and underscores, and leave internal topics alone',
  ),
  RECORD_LIST_TOO_LARGE: final(18, 'fail', "the batch is larger than the topic's segment.bytes: send smaller batches"),
  NOT_ENOUGH_REPLICAS: passing(
    19,
    'retry',
    'fewer replicas are in sync than min.insync.replicas asks for: bring brokers back, or lower that setting',
  ),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: passing(
    20,
    'retry',
    'the records were written, but to fewer replicas than min.insync.replicas asks for: bring brokers back',
  ),
  INVALID_REQUIRED_ACKS: final(21, 'fail', 'acks has a value that the broker does not know: use all, 1 or 0'),
  ILLEGAL_GENERATION: final(22, 'rejoin', 'the group went on to another generation: this member has to join again'),
  INCONSISTENT_GROUP_PROTOCOL: final(
    23,
    'fail',
    'this member shares no protocol with the others of the group: give all members a common assignor, and each group id one kind of client',
  ),
  INVALID_GROUP_ID: final(24, 'fail', 'the group id is empty or not allowed: choose another one'),
  UNKNOWN_MEMBER_ID: final(
    25,
    'new-member-id',
    'the coordinator removed this member or never knew it: join again, and raise sessionTimeoutMs or maxPollIntervalMs if it was slow',
  ),
  INVALID_SESSION_TIMEOUT: final(
    26,
    'fail',
    "sessionTimeoutMs is outside the broker's group.min.session.timeout.ms and group.max.session.timeout.ms: move it inside",
  ),
  REBALANCE_IN_PROGRESS: final(
    27,
    'rejoin',
    'the group is rebalancing: join again, then repeat the commit for partitions still owned',
  ),
  INVALID_COMMIT_OFFSET_SIZE: final(
    28,
    'fail',
    'the commit is larger than the offsets topic takes: commit fewer partitions or shorter metadata at once',
  ),
  TOPIC_AUTHORIZATION_FAILED: final(29, 'fail', 'this principal may not do that with the topic: grant it the ACL'),
  GROUP_AUTHORIZATION_FAILED: final(30, 'fail', 'this principal may not do that with the group: grant it the ACL'),
  CLUSTER_AUTHORIZATION_FAILED: final(31, 'fail', 'this principal may not do that with the cluster: grant it the ACL'),
  INVALID_TIMESTAMP: final(
    32,
    'fail',
    "a record's timestamp is too far from the broker's clock: correct it, or change message.timestamp.before.max.ms or message.timestamp.after.max.ms",
  ),
  UNSUPPORTED_SASL_MECHANISM: final(
    33,
    'fail',
    'the broker does not offer this SASL mechanism: choose one that its sasl.enabled.mechanisms lists',
  ),
  ILLEGAL_SASL_STATE: final(
    34,
    'fail',
    'this request does not belong into the present state of authentication: check that the listener expects SASL exactly when sasl is set',
  ),
  UNSUPPORTED_VERSION: final(
    35,
    'fail',
    'the broker does not have this version of the request: use a newer broker or leave out what needs it',
  ),
  TOPIC_ALREADY_EXISTS: final(36, 'fail', 'there is a topic of this name already: use it, or choose another name'),
  INVALID_PARTITIONS: final(
    37,
    'fail',
    'the number of partitions is not possible: ask for at least 1, and for more than there are when adding some',
  ),
  INVALID_REPLICATION_FACTOR: final(
    38,
    'fail',
    'the replication factor is not possible: ask for at least 1 and at most as many as there are brokers',
  ),
  INVALID_REPLICA_ASSIGNMENT: final(
    39,
    'fail',
    'the replica assignment is not possible: name existing brokers, each once per partition',
  ),
  INVALID_CONFIG: final(40, 'fail', 'a configuration name or value is not accepted: check its spelling and range'),
  NOT_CONTROLLER: passing(41, 'refresh-metadata', 'another node is the controller now: ask that one'),
  INVALID_REQUEST: final(
    42,
    'fail',
    "the broker cannot make sense of the request: compare the arguments with the broker's version and see its log",
  ),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: final(
    43,
    'fail',
    "the topic's record format is too old for this: upgrade its message.format.version",
  ),
  POLICY_VIOLATION: final(44, 'fail', "the cluster's policy forbids this: ask its operators which values it takes"),
  OUT_OF_ORDER_SEQUENCE_NUMBER: final(
    45,
    'bump-epoch',
    'the broker misses batches before this one: some were lost or expired, so check the delivery of earlier records',
  ),
  DUPLICATE_SEQUENCE_NUMBER: final(46, 'none', 'the broker has these records already: nothing is to be done'),
  INVALID_PRODUCER_EPOCH: final(
    47,
    'abort',
    'the producer epoch is not the current one: abort the transaction and begin a new one',
  ),
  INVALID_TXN_STATE: final(
    48,
    'fail',
    'the transaction is not in a state that allows this: close this producer and create a new one',
  ),
  INVALID_PRODUCER_ID_MAPPING: final(
    49,
    'bump-epoch',
    'the transactional id was expired and lost its producer id: initialise the transactions again',
  ),
  INVALID_TRANSACTION_TIMEOUT: final(
    50,
    'fail',
    "transactionTimeoutMs exceeds the broker's transaction.max.timeout.ms: lower it",
  ),
  CONCURRENT_TRANSACTIONS: passing(51, 'retry', 'an earlier transaction of this id is still being completed: give it a moment'),
  TRANSACTION_COORDINATOR_FENCED: final(
    52,
    'fail',
    'the coordinator that sent this marker was replaced: its successor will send it',
  ),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: final(53, 'fail', 'this principal may not use the transactional id: grant it the ACL'),
  SECURITY_DISABLED: final(54, 'fail', 'the broker has no authorizer: set authorizer.class.name before managing ACLs'),
  OPERATION_NOT_ATTEMPTED: final(
    55,
    'fail',
    'the broker left this part out because another part of the request failed: mend that part and repeat',
  ),
  KAFKA_STORAGE_ERROR: passing(
    56,
    'refresh-metadata',
    'the broker could not use its disk: check its log directories, another replica may lead meanwhile',
  ),
  LOG_DIR_NOT_FOUND: final(57, 'fail', 'the broker has no such log directory: use one of its log.dirs'),
  SASL_AUTHENTICATION_FAILED: final(58, 'fail', 'the credentials were refused: check user, password or token, and the mechanism'),
  UNKNOWN_PRODUCER_ID: final(
    59,
    'bump-epoch',
    "the broker forgot this producer because all its records are gone: check the topic's retention if that happens often",
  ),
  REASSIGNMENT_IN_PROGRESS: final(60, 'fail', 'the partition is being moved: wait for the reassignment or cancel it'),
  DELEGATION_TOKEN_AUTH_DISABLED: final(
    61,
    'fail',
    'delegation tokens are switched off: set delegation.token.secret.key on all brokers',
  ),
  DELEGATION_TOKEN_NOT_FOUND: final(62, 'fail', 'there is no such delegation token: create a new one'),
  DELEGATION_TOKEN_OWNER_MISMATCH: final(
    63,
    'fail',
    "this principal is neither the token's owner nor a renewer: act as one of them",
  ),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: final(
    64,
    'fail',
    'tokens cannot be managed over this kind of connection: use one authenticated by SASL or mutual TLS, not by a token',
  ),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: final(
    65,
    'fail',
    'this principal may not do that with the delegation token: grant it the ACL',
  ),
  DELEGATION_TOKEN_EXPIRED: final(66, 'fail', 'the delegation token is past its lifetime: create a new one'),
  INVALID_PRINCIPAL_TYPE: final(67, 'fail', "this type of principal is not supported: use 'User'"),
  NON_EMPTY_GROUP: final(68, 'fail', 'the group still has members: stop them first'),
  GROUP_ID_NOT_FOUND: final(69, 'fail', 'there is no such group: check its id, and that it is of the kind you ask for'),
  FETCH_SESSION_ID_NOT_FOUND: passing(70, 'retry', 'the broker dropped the fetch session: begin a new one'),
  INVALID_FETCH_SESSION_EPOCH: passing(71, 'retry', 'the fetch session is out of step: begin a new one'),
  LISTENER_NOT_FOUND: passing(
    72,
    'refresh-metadata',
    'the leader has no listener of the kind you connected to: give all brokers the same listeners',
  ),
  TOPIC_DELETION_DISABLED: final(73, 'fail', 'topics cannot be deleted on this cluster: set delete.topic.enable'),
  FENCED_LEADER_EPOCH: passing(
    74,
    'refresh-metadata',
    'the partition has a newer leader than this client knew: learn the metadata again',
  ),
  UNKNOWN_LEADER_EPOCH: passing(
    75,
    // The broker lags behind, or the topic was recreated and its epochs began anew.
    'refresh-metadata',
    'this client knows a newer leader than that broker: give the broker a moment to catch up, and learn the metadata again',
  ),
  UNSUPPORTED_COMPRESSION_TYPE: final(
    76,
    'fail',
    'the request is too old for the compression of the topic: use a version that knows it, or another compression',
  ),
  STALE_BROKER_EPOCH: final(77, 'fail', 'the broker restarted meanwhile: repeat the operation'),
  OFFSET_NOT_AVAILABLE: passing(78, 'retry', 'a new leader does not know the end of its log yet: give it a moment'),
  MEMBER_ID_REQUIRED: final(79, 'new-member-id', 'the coordinator assigned a member id: join again with it'),
  PREFERRED_LEADER_NOT_AVAILABLE: passing(
    80,
    'refresh-metadata',
    'the preferred replica cannot lead now: bring its broker back into the in-sync set',
  ),
  GROUP_MAX_SIZE_REACHED: final(81, 'fail', 'the group has as many members as it may: stop some or raise group.max.size'),
  FENCED_INSTANCE_ID: final(82, 'fence', 'another member took over this groupInstanceId: give every running member its own'),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: passing(83, 'refresh-metadata', 'no replica that could lead is available: bring one back'),
  ELECTION_NOT_NEEDED: passing(84, 'fail', 'the leader is already the one that an election would choose: nothing is to be done'),
  NO_REASSIGNMENT_IN_PROGRESS: final(85, 'fail', 'the partition is not being moved: there is nothing to cancel'),
  GROUP_SUBSCRIBED_TO_TOPIC: final(
    86,
    'fail',
    'members of the group still consume the topic: stop them before deleting its offsets',
  ),
  INVALID_RECORD: final(
    87,
    'fail',
    'the broker rejected a record: give keys to records of a compacted topic, and check what the record errors name',
  ),
  UNSTABLE_OFFSET_COMMIT: passing(88, 'retry', 'offsets of an open transaction are pending: wait until it ends'),
  THROTTLING_QUOTA_EXCEEDED: passing(89, 'retry', 'a quota on changes is used up: wait, or ask for a higher one'),
  PRODUCER_FENCED: final(
    90,
    'fence',
    'another producer with this transactionalId took over: give every running producer its own',
  ),
  RESOURCE_NOT_FOUND: final(91, 'fail', 'the request names something that does not exist: check names and ids'),
  DUPLICATE_RESOURCE: final(92, 'fail', 'the request names the same thing twice: name it once'),
  UNACCEPTABLE_CREDENTIAL: final(
    93,
    'fail',
    'the credential does not meet the rules: for SCRAM use 4096 to 16384 iterations and a non-empty name',
  ),
  INCONSISTENT_VOTER_SET: final(94, 'fail', 'the nodes disagree on who votes: compare their quorum settings'),
  INVALID_UPDATE_VERSION: final(
    95,
    'fail',
    'the feature level is not possible: choose one within the range that describeFeatures reports',
  ),
  FEATURE_UPDATE_FAILED: final(96, 'fail', "the features could not be updated: see the controller's log"),
  PRINCIPAL_DESERIALIZATION_FAILURE: final(
    97,
    'fail',
    'the controller cannot read the principal that a broker forwarded: give all nodes the same principal builder',
  ),
  SNAPSHOT_NOT_FOUND: final(98, 'fail', 'the node has no such snapshot: ask for its latest'),
  POSITION_OUT_OF_RANGE: final(99, 'fail', 'the position lies outside of the snapshot: read it from its beginning'),
  UNKNOWN_TOPIC_ID: passing(
    100,
    'refresh-metadata',
    'the broker does not know this topic id: the topic was deleted, recreated or is new, so learn the metadata again',
  ),
  DUPLICATE_BROKER_REGISTRATION: final(101, 'fail', 'a node with this id is running already: give each node its own'),
  BROKER_ID_NOT_REGISTERED: final(102, 'fail', 'no broker of this id is registered: check the id'),
  INCONSISTENT_TOPIC_ID: passing(103, 'refresh-metadata', 'the topic was recreated under another id: learn the metadata again'),
  INCONSISTENT_CLUSTER_ID: final(104, 'fail', 'the node belongs to another cluster: check the address'),
  TRANSACTIONAL_ID_NOT_FOUND: final(105, 'fail', 'there is no such transactional id: check its spelling, or it expired'),
  FETCH_SESSION_TOPIC_ID_ERROR: passing(106, 'retry', 'the fetch session mixes topic names and ids: begin a new one'),
  INELIGIBLE_REPLICA: final(
    107,
    'fail',
    'a replica that may not be in sync was named so: wait until its broker is registered and unfenced',
  ),
  NEW_LEADER_ELECTED: final(108, 'fail', 'the change was made and the leader changed with it: learn the metadata again'),
  OFFSET_MOVED_TO_TIERED_STORAGE: final(
    109,
    'fail',
    'the offset lives in tiered storage, where a replica cannot fetch it: build the state from the remote log',
  ),
  FENCED_MEMBER_EPOCH: final(110, 'rejoin', 'the coordinator moved past this member: give up all partitions and join again'),
  UNRELEASED_INSTANCE_ID: final(
    111,
    'fail',
    'another member still holds this groupInstanceId: stop that one first, or choose another id',
  ),
  UNSUPPORTED_ASSIGNOR: final(
    112,
    'fail',
    'the group coordinator does not have this assignor: use one that its group.consumer.assignors lists',
  ),
  STALE_MEMBER_EPOCH: final(113, 'retry', 'the member epoch changed meanwhile: repeat after the next heartbeat'),
  MISMATCHED_ENDPOINT_TYPE: final(
    114,
    'fail',
    'the request went to a controller but was meant for a broker, or the other way round: check the bootstrap address',
  ),
  UNSUPPORTED_ENDPOINT_TYPE: final(
    115,
    'fail',
    'the node cannot list endpoints of this type: ask for brokers or for controllers',
  ),
  UNKNOWN_CONTROLLER_ID: final(116, 'fail', 'there is no controller of this id: check the id'),
  UNKNOWN_SUBSCRIPTION_ID: final(117, 'retry', 'the telemetry subscription changed: fetch the subscriptions again'),
  TELEMETRY_TOO_LARGE: final(118, 'fail', 'the metrics are larger than the broker takes: push fewer at once'),
  INVALID_REGISTRATION: final(
    119,
    'fail',
    'the controller does not accept the registration: compare the settings of the node with the cluster',
  ),
  TRANSACTION_ABORTABLE: final(120, 'abort', 'the transaction met an error on the broker: abort it and begin a new one'),
  INVALID_RECORD_STATE: final(
    121,
    'fail',
    'the acknowledgement came too late, the record was released to others: finish within the acquisition lock',
  ),
  SHARE_SESSION_NOT_FOUND: passing(122, 'retry', 'the broker dropped the share session: begin a new one'),
  INVALID_SHARE_SESSION_EPOCH: passing(123, 'retry', 'the share session is out of step: begin a new one'),
  FENCED_STATE_EPOCH: final(124, 'fail', "the state epoch is not the coordinator's: initialise the share group state again"),
  INVALID_VOTER_KEY: final(
    125,
    'fail',
    'the directory id is not that of the replica addressed: check node id and directory id together',
  ),
  DUPLICATE_VOTER: final(126, 'fail', 'the node is a voter already: nothing is to be added'),
  VOTER_NOT_FOUND: final(127, 'fail', 'the node is no voter: check node id and directory id'),
  INVALID_REGULAR_EXPRESSION: final(
    128,
    'fail',
    'the subscription pattern is no valid RE2 expression: correct it, look-around and back references do not exist there',
  ),
  REBOOTSTRAP_REQUIRED: final(
    129,
    'refresh-metadata',
    'what this client knows of the cluster is too old: start again from the bootstrap servers',
  ),
  STREAMS_INVALID_TOPOLOGY: final(
    130,
    'fail',
    'the coordinator does not accept the topology: check its repartition and changelog topics',
  ),
  STREAMS_INVALID_TOPOLOGY_EPOCH: final(131, 'fail', 'the topology epoch is not possible: raise it by one with each change'),
  STREAMS_TOPOLOGY_FENCED: final(132, 'fail', 'the group already runs a newer topology: update this instance'),
  SHARE_SESSION_LIMIT_REACHED: passing(
    133,
    'retry',
    'the broker serves as many share sessions as it may: close some or raise group.share.max.share.sessions',
  ),
  GROUP_DELETION_FAILED: final(
    134,
    'fail',
    "the group could not be deleted for the reason given beside it: see the group's error message",
  ),
  STREAMS_TOPOLOGY_DESCRIPTION_UPDATE_FAILED: final(
    135,
    'fail',
    "the broker could not store the description of the topology: see the answer's error message",
  ),
  CONTROLLER_ID_NOT_REGISTERED: final(136, 'fail', 'no controller of this id is registered: check the id'),
} as const
