import {
  api,
  array,
  bool,
  coordinator,
  errorCode,
  groupId,
  int32,
  string,
  struct,
  throttleTimeMs,
  topicName,
  uuid,
} from '../schema.ts'

const topicPartitions = {
  topicId: uuid,
  topicName: topicName,
  partitions: array(int32),
}

const assignment = {
  topicPartitions: array(topicPartitions),
}

export const ShareGroupDescribe = api({
  key: 77,
  name: 'ShareGroupDescribe',
  versions: [0, 1],
  flexible: 0,
  route: coordinator('group', 'groupIds[]', 'groups'),
  request: {
    groupIds: array(groupId),
    includeAuthorizedOperations: bool,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    groups: array({
      errorCode: errorCode,
      errorMessage: string.nullable().default(null),
      groupId: groupId,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      assignorName: string,
      members: array({
        memberId: string,
        rackId: string.nullable().default(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(topicName),
        assignment: struct(assignment),
      }),
      authorizedOperations: int32.default(-2147483648),
    }),
  },
})
