import { type Channel, channel } from 'node:diagnostics_channel'
import { disown } from '../util/disown.ts'
import type { Logger } from '../util/logger.ts'
import type { ClientHooks, ConnectEvent, DisconnectEvent, ReadEvent, RetryEvent, ThrottleEvent, WriteEvent } from './hooks.ts'

interface Events {
  connect: ConnectEvent
  disconnect: DisconnectEvent
  write: WriteEvent
  read: ReadEvent
  throttle: ThrottleEvent
  retry: RetryEvent
}

const hookOf = {
  connect: 'onConnect',
  disconnect: 'onDisconnect',
  write: 'onWrite',
  read: 'onRead',
  throttle: 'onThrottle',
  retry: 'onRetry',
} as const satisfies Record<keyof Events, keyof ClientHooks>

/** The node:diagnostics_channel of each event: `kafkawire:connect`, `kafkawire:disconnect`, `kafkawire:write` … */
export const channels: Readonly<Record<keyof Events, Channel>> = {
  connect: channel('kafkawire:connect'),
  disconnect: channel('kafkawire:disconnect'),
  write: channel('kafkawire:write'),
  read: channel('kafkawire:read'),
  throttle: channel('kafkawire:throttle'),
  retry: channel('kafkawire:retry'),
}

/** Hands events to the hooks of one client and to the process's diagnostics channels. */
export class ClientEvents {
  private readonly hooks: ClientHooks
  private readonly logger: Logger

  constructor(hooks: ClientHooks | undefined, logger: Logger) {
    this.hooks = hooks ?? {}
    this.logger = logger
  }

  /** Whether to build the event at all. */
  wanted(name: keyof Events): boolean {
    return this.hooks[hookOf[name]] !== undefined || channels[name].hasSubscribers
  }

  emit<N extends keyof Events>(name: N, event: Events[N]): void {
    const hook = this.hooks[hookOf[name]] as ((event: Events[N]) => unknown) | undefined
    if (hook) {
      const threw = (error: unknown) => this.logger.error({ err: error, hook: hookOf[name] }, `the hook ${hookOf[name]} threw`)
      try {
        disown(hook.call(this.hooks, event), threw)
      } catch (error) {
        threw(error)
      }
    }
    if (channels[name].hasSubscribers) channels[name].publish(event)
  }
}
