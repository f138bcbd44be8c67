import type { Route, RoutedPart } from './schema.ts'

/** Numbers of Kafka's ConfigResource types that belong to one broker, named by its id. */
const BROKER = 4
const BROKER_LOGGER = 8

interface ConfigRequest {
  readonly resources: readonly { readonly resourceType: number; readonly resourceName: string }[]
}

/**
 * Settings of one broker, and of its loggers, are read and changed at that broker; all others, the cluster-wide defaults of
 * brokers (with an empty name) among them, at any.
 */
export const configRoute = (results: string): Route => ({ kind: 'byContent', split: splitByBroker, results: [results] })

function splitByBroker(request: ConfigRequest): RoutedPart[] {
  // What is none of ours to judge, its encoder refuses.
  if (!Array.isArray(request.resources)) return [{ to: { kind: 'any' }, request }]
  const anywhere: ConfigRequest['resources'][number][] = []
  const byBroker = new Map<number, ConfigRequest['resources'][number][]>()
  for (const resource of request.resources) {
    const nodeId = brokerOf(resource)
    const together = nodeId === undefined ? anywhere : byBroker.get(nodeId)
    if (together) together.push(resource)
    else byBroker.set(nodeId!, [resource])
  }
  const parts: RoutedPart[] = Array.from(byBroker, ([nodeId, resources]) => ({
    to: { kind: 'broker', nodeId },
    request: { ...request, resources },
  }))
  if (anywhere.length > 0 || parts.length === 0) parts.push({ to: { kind: 'any' }, request: { ...request, resources: anywhere } })
  return parts
}

function brokerOf({ resourceType, resourceName }: ConfigRequest['resources'][number]): number | undefined {
  return (resourceType === BROKER || resourceType === BROKER_LOGGER) && /^\d{1,10}$/.test(resourceName)
    ? Number(resourceName)
    : undefined
}
