import * as zlib from 'node:zlib'
import { vi } from 'vitest'

const { getBuiltinModule } = process
const old = { ...zlib, default: undefined, zstdCompressSync: undefined }

/** Makes modules imported from now on find no zstd in Node, as before 22.15, and none loaded. The function it returns undoes that. */
export function hideZstd(): () => void {
  vi.resetModules()
  const spy = vi
    .spyOn(process, 'getBuiltinModule')
    .mockImplementation(name => (name === 'node:zlib' ? old : getBuiltinModule.call(process, name)))
  return () => {
    spy.mockRestore()
    vi.resetModules()
  }
}
