// One wasm instance of the core, shared by the rooms of a page. When it panics its memory can't be trusted: all its rooms end with
// 'core-panicked', the instance is thrown away, and the next connect() gets a fresh one.

import { nearcastError } from '../errors.js';
import type { CoreGlue } from './boundary.js';

/** @internal */
export type ModuleSource = () => Promise<WebAssembly.Module>;

/** Who must be told that the core is gone. @internal */
export interface CoreUser {
  /** `where`: file and line, or what the browser calls the trap. */
  corePanicked(where: string): void;
}

/** @internal */
export class CoreInstance {
  readonly glue: CoreGlue;
  #users = new Set<CoreUser>();
  #failed = false;
  #onFailure: () => void;

  constructor(glue: CoreGlue, onFailure: () => void) {
    this.glue = glue;
    this.#onFailure = onFailure;
    glue.onPanic((file, line) => this.fail(`${file}:${line}`));
  }

  get failed(): boolean {
    return this.#failed;
  }

  add(user: CoreUser): void {
    this.#users.add(user);
  }

  delete(user: CoreUser): void {
    this.#users.delete(user);
  }

  /** Runs a call into the core. A trap ends the instance; whatever else is thrown goes on to the caller. */
  enter<T>(call: () => T): T {
    if (this.#failed) throw nearcastError('core-panicked');
    try {
      return call();
    } catch (cause) {
      if (!this.#failed && !(cause instanceof WebAssembly.RuntimeError)) throw cause;
      this.fail(String(cause));
      throw nearcastError('core-panicked', { cause });
    }
  }

  /** May be called from inside the dying core: its users are told afterwards. */
  fail(where: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#onFailure();
    queueMicrotask(() => {
      const users = [...this.#users];
      this.#users.clear();
      for (const user of users) user.corePanicked(where);
    });
  }
}

/**
 * Makes instances of the module that `source` gives, one at a time. A failure to load is not remembered: the next call tries again.
 *
 * @internal
 */
export class CoreLoader {
  #makeGlue: () => CoreGlue;
  #ready: Promise<CoreInstance> | undefined;

  constructor(makeGlue: () => CoreGlue) {
    this.#makeGlue = makeGlue;
  }

  load(source: ModuleSource): Promise<CoreInstance> {
    return (this.#ready ??= this.#instantiate(source).catch((cause: unknown) => {
      this.#ready = undefined;
      throw nearcastError('core-load-failed', { cause });
    }));
  }

  async #instantiate(source: ModuleSource): Promise<CoreInstance> {
    const glue = this.#makeGlue();
    await glue.default({ module_or_path: await source() });
    return new CoreInstance(glue, () => {
      this.#ready = undefined;
    });
  }
}
