/**
 * The gentle end: nobody new is let in, and who is connected is served until they leave or the time is over; then the
 * daemon stops as it does by SIGTERM. That signal stops it at once, in between too.
 */
import type { Server } from './server.js';

export class Drain {
  readonly #server: Pick<Server, 'turnAway' | 'connections'>;
  #end: () => void = () => undefined;
  /** Resolves when the daemon may stop; never where nobody asked for it. */
  readonly over: Promise<'drain'>;
  #deadline: NodeJS.Timeout | undefined;
  #until = 0;
  #isOver = false;

  constructor(server: Pick<Server, 'turnAway' | 'connections'>) {
    this.#server = server;
    this.over = new Promise((resolve) => {
      this.#end = () => {
        clearTimeout(this.#deadline);
        this.#isOver = true;
        resolve('drain');
      };
    });
  }

  get isUnderWay(): boolean {
    return this.#deadline !== undefined;
  }

  /** One that is under way already goes on, by the new time. @param within ms */
  begin(within: number): void {
    const isFirst = !this.isUnderWay;
    clearTimeout(this.#deadline);
    this.#until = performance.now() + within;
    this.#deadline = setTimeout(this.#end, within);
    if (isFirst) void this.#server.turnAway().then(this.#end);
  }

  /** left: seconds until those who are connected are cut */
  get progress(): { readonly connections: number; readonly left: number; readonly stopping: boolean } {
    const left = Math.max(0, Math.ceil((this.#until - performance.now()) / 1000));
    return { connections: this.#server.connections, left, stopping: this.#isOver };
  }

  /** The daemon stops for another reason. */
  close(): void {
    clearTimeout(this.#deadline);
    this.#isOver = true;
  }
}
