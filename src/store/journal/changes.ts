/** One part's way to the journal: what it wrote last, and reads that show nothing but what is durable. */
import type { Disk } from './disk.js';
import type { Journal, Placed } from './journal.js';

export class Changes {
  readonly #journal: Journal;
  readonly #disk: Disk;
  #last: Promise<boolean> | undefined;

  constructor(journal: Journal, disk: Disk) {
    this.#journal = journal;
    this.#disk = disk;
  }

  /** Resolves when the record is durable; `undo` runs where it can't be kept. */
  append(payload: Uint8Array, undo: () => void, placed?: Placed): Promise<void> {
    const done = this.#journal.append(payload, undo, placed);
    const forget = (): void => {
      if (this.#last === last) this.#last = undefined;
    };
    const last = done.then(
      () => {
        forget();
        return true;
      },
      () => {
        forget(); // the caller of append has the error
        return false;
      },
    );
    this.#last = last;
    return done;
  }

  /**
   * True when all that was appended before this call is durable, false when some of it was undone.
   * @throws StorageError when the disk has failed
   */
  async settled(): Promise<boolean> {
    const last = this.#last;
    const durable = last === undefined || (await last);
    this.#disk.check();
    return durable;
  }

  /** A result that shows nothing but what is durable: computed at once, and again if a change under it was undone. */
  async read<T>(compute: () => T): Promise<T> {
    for (;;) {
      const result = compute();
      if (await this.settled()) return result;
    }
  }
}
