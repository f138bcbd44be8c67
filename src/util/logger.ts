import { disown } from './disown.ts'

/** The part of pino's interface that is used here: pass `pino()`, or anything of this shape. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A logger that adds `bindings` to each line. */
  child(bindings: object): Logger
}

const nothing = () => {}

/** The default: silence. */
export const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silent }

/**
 * The same logger, except that what it throws is lost: a full disk under a log file must not end a connection half-way, or the
 * process.
 */
export function harmless(logger: Logger): Logger {
  if (logger === silent) return silent
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    try {
      disown(logger[level](fields, message))
    } catch {
      // There is nowhere left to tell it.
    }
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child(bindings) {
      try {
        return harmless(logger.child(bindings))
      } catch {
        return this
      }
    },
  }
}
