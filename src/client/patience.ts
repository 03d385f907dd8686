/** Questions to the daemon, so many at once: one that it limits is asked again when its time has come (SPEC 8.3). */
import { Code } from '../../protocol/index.js';
import type { Reply } from './answers.js';

/** Beyond so many a question waits for the end of another: the daemon's limits are met seldom, and by few. */
const AT_ONCE = 64;

export interface Asked {
  /** The same question each time, with the same frame id. */
  readonly ask: () => Promise<Reply>;
  readonly pause: (ms: number) => Promise<void>;
  /** ms that it may wait in all; then the answer 429 is the answer */
  readonly most: number;
  /** told each time that it waits */
  readonly waits?: ((seconds: number) => void) | undefined;
}

export class Patience {
  #free = AT_ONCE;
  readonly #waiting: (() => void)[] = [];

  async ask({ ask, pause, most, waits }: Asked): Promise<Reply> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      for (let waited = 0; ;) {
        const reply = await ask();
        const ms = 1000 * reply.wait;
        if (reply.code !== Code.limited || ms === 0 || waited + ms > most) return reply;
        waits?.(reply.wait);
        await pause(ms);
        waited += ms;
      }
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
