/** What one tick made for a connection leaves in one write (SPEC 8.4). */
interface Flushed {
  flush(): void;
}

export class Flusher {
  readonly #marked = new Set<Flushed>();
  #scheduled = false;

  mark(line: Flushed): void {
    this.#marked.add(line);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const lines = [...this.#marked];
      this.#marked.clear();
      for (const line of lines) line.flush();
    });
  }
}
