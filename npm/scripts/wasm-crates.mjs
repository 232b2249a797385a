// How much of a wasm module comes from which crate, by the names that wasm-bindgen leaves in it.

/** Crate (of ours, its modules) → its functions' bodies, one after the other; '(data)' has texts and tables. Undefined when the module has no names. */
export function crates(wasm) {
  const found = new Map();
  const add = (crate, bytes) => found.set(crate, [...(found.get(crate) ?? []), bytes]);
  let imported = 0;
  let bodies = [];
  let names;
  for (const { id, body } of sections(wasm)) {
    const read = new Reader(body);
    if (id === 2) imported = importedFunctions(read);
    else if (id === 10) bodies = Array.from({ length: read.number() }, () => read.bytes(read.number()));
    else if (id === 11) add('(data)', body);
    else if (id === 0 && read.text() === 'name') names = functionNames(read);
  }
  if (!names) return undefined;
  for (const [index, code] of bodies.entries()) add(crateOf(names.get(imported + index) ?? ''), code);
  return new Map([...found].map(([crate, parts]) => [crate, Buffer.concat(parts)]));
}

/** From a name such as `client_core::session::Session::start`, `<client_core::layer::Layer as core::…>::…`, `core[c0ffee]::ptr::…`. */
function crateOf(name) {
  const [, crate, module] = /\b([a-z]\w*)(?:\[\w+\])?::([a-z]\w*)?/.exec(name) ?? [];
  if (crate === 'client_core' && module) return `client_core::${module}`;
  // Without a path: what the compiler brings (memcpy, __multi3), and what is exported under a name of its own.
  if (!crate) return /^(__|mem)/.test(name) ? 'Rust itself' : 'client_wasm';
  return /^(std|core|alloc)$/.test(crate) ? 'Rust itself' : crate;
}

function* sections(wasm) {
  const read = new Reader(wasm.subarray(8));
  while (read.more) yield { id: read.byte(), body: read.bytes(read.number()) };
}

/** Functions that are imported come first in the count. */
function importedFunctions(read) {
  let functions = 0;
  for (let left = read.number(); left > 0; left--) {
    read.text();
    read.text();
    const kind = read.byte();
    if (kind === 0) {
      functions += 1;
      read.number();
    } else if (kind === 3) read.bytes(2);
    else {
      if (kind === 1) read.byte();
      const limits = read.byte();
      read.number();
      if (limits & 1) read.number();
    }
  }
  return functions;
}

function functionNames(read) {
  while (read.more) {
    const id = read.byte();
    const part = new Reader(read.bytes(read.number()));
    if (id === 1) return new Map(Array.from({ length: part.number() }, () => [part.number(), part.text()]));
  }
  return undefined;
}

class Reader {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  get more() {
    return this.#at < this.#bytes.length;
  }

  byte() {
    return this.#bytes[this.#at++];
  }

  bytes(length) {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** LEB128, up to 32 bits. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  text() {
    return Buffer.from(this.bytes(this.number())).toString();
  }
}
