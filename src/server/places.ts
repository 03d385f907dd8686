/** Pieces of costly work under way, in total and of each source. */
export class Places {
  readonly #bySource = new Map<string, number>();
  #taken = 0;

  take(source: string, total: number, each: number): boolean {
    const own = this.#bySource.get(source) ?? 0;
    if (this.#taken >= total || own >= each) return false;
    this.#taken++;
    this.#bySource.set(source, own + 1);
    return true;
  }

  give(source: string): void {
    this.#taken--;
    const own = (this.#bySource.get(source) ?? 1) - 1;
    if (own === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, own);
  }
}
