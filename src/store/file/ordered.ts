/** A map in the order of arrival, whose items can be taken out and put back where they were. */
export interface Item<T> {
  readonly key: string;
  readonly place: number;
  readonly value: T;
}

export class Ordered<T> {
  #items = new Map<string, Item<T>>();
  #places = 0;

  get size(): number {
    return this.#items.size;
  }

  get(key: string): T | undefined {
    return this.#items.get(key)?.value;
  }

  add(key: string, value: T): void {
    this.#items.set(key, { key, place: this.#places++, value });
  }

  remove(key: string): Item<T> | undefined {
    const item = this.#items.get(key);
    if (item) this.#items.delete(key);
    return item;
  }

  first(): Item<T> | undefined {
    return this.#items.values().next().value;
  }

  /** Puts back what was removed. Costs a sort: for what was undone, not for every day. */
  restore(removed: readonly Item<T>[]): void {
    if (removed.length === 0) return;
    const all = [...this.#items.values(), ...removed].sort((a, b) => a.place - b.place);
    this.#items = new Map(all.map((item) => [item.key, item]));
  }

  /** At most `limit` values from the one behind `after` on; none where `after` is not there. */
  page(after: string | undefined, limit: number): T[] {
    const start = after === undefined ? -1 : this.#items.get(after)?.place;
    const out: T[] = [];
    if (start === undefined) return out;
    for (const item of this.#items.values()) {
      if (out.length >= limit) break;
      if (item.place > start) out.push(item.value);
    }
    return out;
  }

  values(): T[] {
    return Array.from(this.#items.values(), (item) => item.value);
  }
}
