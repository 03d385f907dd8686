/** What one tick made for a connection leaves in one write (SPEC 8.4). */
interface Flushed {
  flush(): void;
}

export class Flusher {
  readonly #marked = new Set<Flushed>();
  #scheduled = false;

  mark(peer: Flushed): void {
    this.#marked.add(peer);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const peers = [...this.#marked];
      this.#marked.clear();
      for (const peer of peers) peer.flush();
    });
  }
}
