/** The little of the WebAssembly interface that is needed, as the platform types leave it out. Absent under `--jitless`. */
interface WasmHost {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** Instantiates a small module at once; null where the engine has no wasm or not the features the module needs. */
export function instantiate<E>(base64: string): E | null {
  const { WebAssembly: host } = globalThis as { readonly WebAssembly?: unknown } as { readonly WebAssembly?: WasmHost }
  if (!host) return null
  try {
    return new host.Instance(new host.Module(Buffer.from(base64, 'base64'))).exports as E
  } catch {
    return null
  }
}
