/** How this package names itself to brokers (KIP-511), which accept letters, digits, `-` and `.` only. */
export const SOFTWARE_NAME = 'kafkawire'
/** Kept equal to package.json's by a test. */
export const SOFTWARE_VERSION = '0.1.0'
