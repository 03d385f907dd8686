/** What the daemon broke of its word, and what was counted on the way. Nobody stops at a fault: the test reads them at its end. */
export class Ledger {
  readonly faults: string[] = [];
  answered = 0;
  repeated = 0;
  redelivered = 0;
  #tick = 0;
  #waiting: { readonly answered: number; readonly resolve: () => void }[] = [];

  /** Higher with each call: tells what was before what. */
  tick(): number {
    return ++this.#tick;
  }

  fault(text: string): void {
    this.faults.push(text);
  }

  countAnswer(): void {
    this.answered++;
    for (const wait of this.#waiting) if (wait.answered <= this.answered) wait.resolve();
    this.#waiting = this.#waiting.filter(({ answered }) => answered > this.answered);
  }

  /** Resolves when so many messages more were answered. */
  more(answers: number): Promise<void> {
    if (answers <= 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ answered: this.answered + answers, resolve }));
  }
}
