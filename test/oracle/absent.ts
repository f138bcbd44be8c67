// What Kafka's jars define and this package leaves out, on purpose. The structural oracle prints it and fails on anything else.

const CONTROLLERS = 'spoken between controllers and brokers only, on the controller listener'
const REMOVED = 'removed from the protocol in 4.0 (ZooKeeper mode)'

/** APIs by name, without Request or Response. */
export const absentApis: Readonly<Record<string, string>> = {
  LeaderAndIsr: REMOVED,
  StopReplica: REMOVED,
  UpdateMetadata: REMOVED,
  ControlledShutdown: REMOVED,
  Vote: CONTROLLERS,
  BeginQuorumEpoch: CONTROLLERS,
  EndQuorumEpoch: CONTROLLERS,
  AlterPartition: CONTROLLERS,
  Envelope: CONTROLLERS,
  FetchSnapshot: CONTROLLERS,
  BrokerRegistration: CONTROLLERS,
  BrokerHeartbeat: CONTROLLERS,
  AllocateProducerIds: CONTROLLERS,
  ControllerRegistration: CONTROLLERS,
  AssignReplicasToDirs: CONTROLLERS,
  UpdateRaftVoter: CONTROLLERS,
}

/** Other definitions. */
export const absentFormats: Readonly<Record<string, string>> = {
  AbortedTxn: "an entry of a broker's transaction index file, never sent",
  ControlRecordTypeSchema: 'the type inside the key of a control record: an int16 behind an int16 version, read by records/',
  DefaultPrincipalData: 'how a broker hands a principal to the controller inside Envelope',
}
