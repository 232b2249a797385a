// The core inside a JavaScript file: deflated, then base64. Base64 of the plain wasm would not compress again when it is served (measured:
// +31 %); base64 of compressed bytes costs what base64 adds and HTTP compression takes that back. See docs/decisions.

/** Compiles what `scripts/build.mjs` packed. @internal */
export async function unpackModule(packed: string): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const wasm = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return WebAssembly.compile(await new Response(wasm).arrayBuffer());
}
