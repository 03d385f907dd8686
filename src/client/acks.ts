/** Acknowledgements of deliveries, gathered: they leave when their effect is synced, many in a frame. */
import { ACKS_PER_FRAME, structs } from '../../protocol/index.js';
import type { Link } from './link.js';

export class Acks {
  #link: Link | undefined;
  #ids: Uint8Array[] = [];
  #due = false;

  /** @param link the one that the delivery came on: what was not acknowledged there comes again on the next */
  add(link: Link, id: Uint8Array): void {
    if (link !== this.#link) {
      this.#link = link;
      this.#ids = [];
    }
    this.#ids.push(id);
    if (this.#due) return;
    this.#due = true;
    void Promise.resolve().then(() => {
      this.#due = false;
      this.flush();
    });
  }

  flush(): void {
    while (this.#link && this.#ids.length > 0)
      this.#link.tell(structs.ackd, { ids: this.#ids.splice(0, ACKS_PER_FRAME).map((id) => ({ id })) });
  }
}
