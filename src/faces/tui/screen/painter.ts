/** When frames are painted: at once for a key, at most so often for all else. */

/** Between two frames that nobody typed for, in ms. */
const FRAME_MS = 33;

export class Painter {
  readonly #draw: () => void;
  #timer: NodeJS.Timeout | undefined;
  #now: NodeJS.Immediate | undefined;
  #painted = -Infinity;
  #closed = false;

  constructor(draw: () => void) {
    this.#draw = draw;
  }

  /** Once for all keys of a chunk. */
  now(): void {
    if (this.#closed) return;
    this.#now ??= setImmediate(() => {
      this.#paint();
    });
  }

  soon(): void {
    if (this.#closed || this.#now) return;
    const left = this.#painted + FRAME_MS - performance.now();
    if (left <= 0) this.now();
    else this.#timer ??= setTimeout(() => this.#paint(), left);
  }

  #paint(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#now);
    this.#timer = undefined;
    this.#now = undefined;
    if (this.#closed) return;
    this.#painted = performance.now();
    this.#draw();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#now);
  }
}
