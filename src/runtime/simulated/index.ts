export { seededRandom } from './random.ts'
export type { NetworkConditions, SimulatedNetwork } from './simulated-network.ts'
export { SimulatedRuntime, type SimulationOptions } from './simulated-runtime.ts'
