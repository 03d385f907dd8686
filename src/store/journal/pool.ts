/**
 * Parts of users that are open, each loaded on first use and forgotten when others need the room: what is
 * in memory follows what is used, not what is stored.
 */
export interface Part {
  /** memory, about */
  readonly bytes: number;
}

interface PoolLimits {
  readonly parts: number;
  readonly bytes: number;
}

/** Parts that one call looks at to make room. */
const TRIM_LOOKS = 64;

interface Slot<P> {
  readonly part: Promise<P>;
  /** calls under way: a part in use is never forgotten */
  calls: number;
  bytes: number;
}

export class Pool<P extends Part> {
  readonly #limits: PoolLimits;
  /** the longest unused first */
  readonly #slots = new Map<string, Slot<P>>();
  #bytes = 0;
  #idle: { readonly key: string; readonly resolve: () => void }[] = [];

  constructor(limits: PoolLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#slots.size;
  }

  /** Calls `work` with the part; for one key in the order of the calls, each before any later one. */
  async use<Q extends P, T>(key: string, open: () => Promise<Q>, work: (part: Q) => Promise<T>): Promise<T> {
    const slot = this.#slot(key, open) as Slot<Q>;
    slot.calls++;
    try {
      const part = await slot.part;
      try {
        return await work(part);
      } finally {
        this.#bytes += part.bytes - slot.bytes;
        slot.bytes = part.bytes;
      }
    } finally {
      slot.calls--;
      if (this.#idle.length > 0 && slot.calls === 0) this.#tellIdle(key);
      this.#trim();
    }
  }

  #slot(key: string, open: () => Promise<P>): Slot<P> {
    const found = this.#slots.get(key);
    if (found) {
      this.#slots.delete(key); // to the end: the last that goes
      this.#slots.set(key, found);
      return found;
    }
    const slot: Slot<P> = { part: open(), calls: 0, bytes: 0 };
    this.#slots.set(key, slot);
    slot.part.catch(() => {
      if (this.#slots.get(key) === slot) this.#slots.delete(key); // the callers have the error; the next one tries again
    });
    return slot;
  }

  #trim(): void {
    if (this.#fits()) return;
    let looks = 0;
    for (const [key, slot] of this.#slots) {
      if (++looks > TRIM_LOOKS) return; // all of these are in use: what ends later trims again
      if (slot.calls > 0) continue;
      this.#slots.delete(key);
      this.#bytes -= slot.bytes;
      if (this.#fits()) return;
    }
  }

  #fits(): boolean {
    return this.#slots.size <= this.#limits.parts && this.#bytes <= this.#limits.bytes;
  }

  /** Waits until no call that was made before goes on with the part. */
  async idle(key: string): Promise<void> {
    while ((this.#slots.get(key)?.calls ?? 0) > 0) {
      await new Promise<void>((resolve) => this.#idle.push({ key, resolve }));
    }
  }

  #tellIdle(key: string): void {
    const told = this.#idle.filter((waiting) => waiting.key === key);
    this.#idle = this.#idle.filter((waiting) => waiting.key !== key);
    for (const { resolve } of told) resolve();
  }
}
