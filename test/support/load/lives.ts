/** A daemon with many lives: killed, and started again on the same data and port. Its clients come back. */
import type { Daemon, DaemonOptions } from '../daemon.js';
import { startLavish } from '../people.js';
import type { Teardown } from '../temp.js';

export interface Life {
  readonly daemon: Daemon;
  /** Set before the signal: whatever fails from then on may have failed because of it. */
  killed: boolean;
}

export class Lives {
  readonly t: Teardown;
  readonly #options: DaemonOptions;
  #port: number | undefined;
  #life: Promise<Life>;

  private constructor(t: Teardown, options: DaemonOptions) {
    this.t = t;
    this.#options = options;
    this.#life = this.#begin();
  }

  /** @param options `data` has to be given, and stays from life to life */
  static async begin(t: Teardown, options: DaemonOptions & { readonly data: string }): Promise<Lives> {
    const lives = new Lives(t, options);
    await lives.#life;
    return lives;
  }

  async #begin(): Promise<Life> {
    const port = this.#port === undefined ? {} : { port: this.#port };
    const daemon = await startLavish(this.t, { ...this.#options, ...port });
    this.#port = daemon.port;
    return { daemon, killed: false };
  }

  /** The life that runs, or the next one when it has begun. */
  current(): Promise<Life> {
    return this.#life;
  }

  /** Ends this life by SIGKILL and begins the next; resolves when that is ready. */
  async kill(): Promise<void> {
    const life = await this.#life;
    life.killed = true;
    this.#life = life.daemon.kill().then(() => this.#begin());
    await this.#life;
  }

  /** Does it with the running daemon; where a kill cut it off, again with the next one. Other failures are its own. */
  async persist<T>(work: (daemon: Daemon) => Promise<T>): Promise<T> {
    for (;;) {
      const life = await this.#life;
      try {
        return await work(life.daemon);
      } catch (error) {
        if (!life.killed) throw error;
      }
    }
  }
}
