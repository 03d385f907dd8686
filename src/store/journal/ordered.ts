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

  /** Where an item stands; undefined where it is not there. */
  place(key: string): number | undefined {
    return this.#items.get(key)?.place;
  }

  has(item: Item<T>): boolean {
    return this.#items.get(item.key)?.place === item.place;
  }

  /** At most `limit` items behind this place that are wanted; before the first one is -1. */
  page(after: number, limit: number, isWanted: (key: string) => boolean = () => true): Item<T>[] {
    const out: Item<T>[] = [];
    for (const item of this.#items.values()) {
      if (out.length >= limit) break;
      if (item.place > after && isWanted(item.key)) out.push(item);
    }
    return out;
  }

  values(): T[] {
    return Array.from(this.#items.values(), (item) => item.value);
  }
}
