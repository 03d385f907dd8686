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
      const lines = [...this.#marked];
      /* What a line adds while it is flushed leaves with it: the mark comes off after. */
      for (const line of lines) {
        line.flush();
        this.#marked.delete(line);
      }
      this.#scheduled = false;
      const [more] = this.#marked;
      if (more) this.mark(more);
    });
  }
}
