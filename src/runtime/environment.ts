/** The environment variables of the process. */
export const environment = (): Readonly<Record<string, string | undefined>> => process.env
