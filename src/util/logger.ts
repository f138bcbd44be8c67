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
