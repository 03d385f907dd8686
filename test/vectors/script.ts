/** Recorded bytes in the place of random ones: each draw gives the next of the list. */
export class Script {
  readonly #parts: Uint8Array[];
  constructor(parts: readonly Uint8Array[]) {
    this.#parts = [...parts];
  }
  /** @throws Error where the next recorded bytes have another length: the code draws in another order than the vector says. */
  bytes(length: number): Uint8Array {
    const next = this.#parts.shift();
    if (next?.length !== length) throw new Error(`the next recorded bytes are not ${String(length)}`);
    return next.slice();
  }
}

/** Seeded bytes, or recorded ones. */
export interface Source {
  bytes(length: number): Uint8Array;
}
