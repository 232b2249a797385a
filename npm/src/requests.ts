// Requests under way: each ends exactly once, with what the core answers or with the end of the call.

import { nearcastError, type NearcastError } from './errors.js';

interface Waiting {
  resolve: (value: never) => void;
  reject: (error: NearcastError) => void;
}

/** @internal */
export class Requests {
  #waiting = new Map<number, Waiting>();
  #next = 1;
  #over = false;

  /** Sends a request by `send`, which is given its number. */
  make<T>(send: (request: number) => void): Promise<T> {
    if (this.#over) return Promise.reject(nearcastError('room-left'));
    const request = this.#next++;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      try {
        send(request);
      } catch (cause) {
        this.#waiting.delete(request);
        reject(cause instanceof Error ? cause : nearcastError('internal', { cause }));
      }
    });
  }

  resolve(request: number, value: unknown): void {
    this.#take(request)?.resolve(value as never);
  }

  reject(request: number, error: NearcastError): void {
    this.#take(request)?.reject(error);
  }

  /** All that wait fail with `error`, and all to come because there is no call any more. */
  end(error: NearcastError): void {
    this.#over = true;
    for (const request of [...this.#waiting.keys()]) this.reject(request, error);
  }

  #take(request: number): Waiting | undefined {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    return waiting;
  }
}
