/**
 * Requests that must not be sent again when nobody knows whether the broker acted on the first: the second would be applied
 * twice, or be answered with an error that hides the success of the first. All others may be repeated: they only read, or
 * set a state that a repetition leaves as it is.
 */
const NOT_REPEATABLE: Readonly<Record<number, string>> = {
  0: 'Produce: only an idempotent producer knows the sequence numbers that make it safe',
  11: 'JoinGroup: a new member would join twice',
  13: 'LeaveGroup: UNKNOWN_MEMBER_ID',
  19: 'CreateTopics: TOPIC_ALREADY_EXISTS',
  20: 'DeleteTopics: UNKNOWN_TOPIC_OR_PARTITION, or a topic created again meanwhile',
  26: 'EndTxn: could end the next transaction (KAFKA-17754)',
  31: 'DeleteAcls: the answer would no longer name what was deleted',
  37: 'CreatePartitions: INVALID_PARTITIONS',
  38: 'CreateDelegationToken: a second token',
  40: 'ExpireDelegationToken: DELEGATION_TOKEN_NOT_FOUND',
  42: 'DeleteGroups: GROUP_ID_NOT_FOUND',
  43: 'ElectLeaders: ELECTION_NOT_NEEDED',
  45: 'AlterPartitionReassignments: NO_REASSIGNMENT_IN_PROGRESS for what was cancelled',
  51: 'AlterUserScramCredentials: RESOURCE_NOT_FOUND for what was deleted',
  64: 'UnregisterBroker: an error for what is gone already',
  68: 'ConsumerGroupHeartbeat: a new member would join twice',
  76: 'ShareGroupHeartbeat: a new member would join twice',
  78: 'ShareFetch: would acquire other records',
  79: 'ShareAcknowledge: INVALID_RECORD_STATE',
  80: 'AddRaftVoter: DUPLICATE_VOTER',
  81: 'RemoveRaftVoter: VOTER_NOT_FOUND',
  88: 'StreamsGroupHeartbeat: a new member would join twice',
  94: 'UnregisterController: an error for what is gone already',
}

/** Whether a request of this API may be sent again although the first may have been applied. */
export const isRepeatable = ({ key }: { readonly key: number }): boolean => !(key in NOT_REPEATABLE)
