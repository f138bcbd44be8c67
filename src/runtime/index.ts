/**
 * @module kafkawire/runtime: the outside world that clients and the embedded broker run in. Node's own, tunnels through a stream
 * of yours, and a simulated one of virtual time and one seed.
 */
export { nodeRuntime, tunnelled } from './node.ts'
export type {
  Clock,
  HttpRequest,
  HttpResponse,
  InSteps,
  InThread,
  Listener,
  ListenOptions,
  Network,
  Offload,
  Runtime,
  Sink,
  Target,
  Timer,
  TlsOptions,
  Transport,
} from './runtime.ts'
export {
  type NetworkConditions,
  type SimulatedNetwork,
  SimulatedRuntime,
  type SimulationOptions,
  type Trace,
  type VirtualClock,
} from './simulated/index.ts'
