// `import { connect, init } from 'nearcast/slim'`: the same without the wasm inside, for pages that serve `nearcast/core.wasm` themselves
// (streaming compilation, a CDN, a strict Content-Security-Policy).

import { connectWith, type TokenSource } from './connect.js';
import { makeGlue } from './core/generated.js';
import { CoreLoader } from './core/instance.js';
import { nearcastError } from './errors.js';
import type { ConnectOptions } from './options.js';
import type { Room } from './room.js';

export * from './exports.js';

/** Where the core comes from: its address, a response with it, its bytes, or the compiled module. */
export type WasmSource = string | URL | Response | BufferSource | WebAssembly.Module | Promise<Response>;

const loader = /* @__PURE__ */ new CoreLoader(makeGlue);
let wasm: WasmSource | undefined;

/** Says where the core is, and loads it. Call it once before `connect`; after a failure, call it again. Rejects with `core-load-failed`. */
export async function init(source: WasmSource): Promise<void> {
  wasm = source;
  await loader.load(() => moduleFrom(source));
}

/** Enters a room; see `connect` of 'nearcast'. Call `init` first. */
export async function connect(url: string, token: TokenSource, options: ConnectOptions = {}): Promise<Room> {
  const source = wasm;
  if (source === undefined) throw nearcastError('bad-argument', { message: "Call init(urlOfCoreWasm) before connect(), or import from 'nearcast'." });
  return connectWith(() => loader.load(() => moduleFrom(source)), url, token, options);
}

/** Compiled once: a fresh instance after a panic takes the same module. */
async function moduleFrom(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  const module = await compile(typeof source === 'string' || source instanceof URL ? await fetch(source) : await source);
  if (wasm === source) wasm = module;
  return module;
}

async function compile(source: Response | BufferSource | WebAssembly.Module): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (!(source instanceof Response)) return WebAssembly.compile(source);
  if (!source.ok) throw new Error(`${source.url} answered ${source.status}`);
  // A server that doesn't know the type of .wasm must not cost the call, only the streaming.
  if (source.headers.get('content-type') === 'application/wasm') return WebAssembly.compileStreaming(source);
  return WebAssembly.compile(await source.arrayBuffer());
}
