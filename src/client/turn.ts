/** One thing after another; one that fails does not hold up those behind it. */
export class Turn {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined); // the caller has the failure; the line goes on
    return done;
  }

  /** Resolves when what is in the line now is done. Never rejects. */
  get quiet(): Promise<unknown> {
    return this.#last;
  }
}
