/** Who is connected: in memory alone. It is told to who is in a room with them, and to nobody else (SPEC 9.10). */
import type { Mailbox } from './mailbox.js';

/** A connection on which somebody logged in. */
export interface Online {
  readonly mailbox: Mailbox;
  /** Everything that was in flight to this client is on the disk, its senders told. */
  readonly saved: Promise<void>;
  /** Tells the client why, then ends. */
  close(code: 401 | 403 | 409 | 503): void;
}

export class Presence {
  readonly #online = new Map<string, Online>();

  /** People, not connections. */
  get size(): number {
    return this.#online.size;
  }

  get(uidKey: string): Online | undefined {
    return this.#online.get(uidKey);
  }

  /** A later login takes over: the earlier client is told and does not come back by itself (SPEC 8.5). */
  enter(uidKey: string, online: Online): void {
    this.#online.get(uidKey)?.close(409);
    this.#online.set(uidKey, online);
  }

  leave(uidKey: string, online: Online): void {
    if (this.#online.get(uidKey) === online) this.#online.delete(uidKey);
  }
}
