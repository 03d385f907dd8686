/** What many deliveries come to for the one who caused them (SPEC 9.8). */
import { Code } from '../../protocol/index.js';
import type { Settle } from './mailbox.js';

export class Tally {
  #open: number;
  #isQueued = false;
  #hasFailed = false;
  readonly #done: Settle;

  /** @param done is called once, when so many were settled */
  constructor(open: number, done: Settle) {
    this.#open = open;
    this.#done = done;
  }

  /** The end of one. A full queue, and somebody who is gone, are ends like others: nobody waits for them. */
  readonly settle: Settle = (code) => {
    if (code === Code.storage) this.#hasFailed = true;
    else if (code === Code.queued) this.#isQueued = true;
    if (--this.#open > 0) return;
    this.#done(this.#hasFailed ? Code.storage : this.#isQueued ? Code.queued : Code.done);
  };
}
