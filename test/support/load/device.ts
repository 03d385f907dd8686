/** A user's device: logs in by its grant, which has to outlive every kill, and gathers acknowledgements. */
import { ACKS_PER_FRAME, Code, structs, type Values } from '../../../protocol/index.js';
import type { Daemon } from '../daemon.js';
import { connected } from '../people.js';
import { logIn, type RawConnection, type RawUser, type Received } from '../raw.js';
import type { Ledger } from './ledger.js';
import type { Lives } from './lives.js';

export interface Visit {
  readonly raw: RawConnection;
  /** entries that wait, as the daemon said at the login */
  readonly queued: number;
  /** on the ledger's clock, before the connection */
  readonly began: number;
}

export class Device {
  readonly user: RawUser;
  readonly lives: Lives;
  readonly ledger: Ledger;
  #session: Values<typeof structs.passAnswer> | undefined;

  constructor(user: RawUser, lives: Lives, ledger: Ledger) {
    this.user = user;
    this.lives = lives;
    this.ledger = ledger;
  }

  get name(): string {
    return this.user.name;
  }

  /** Rejects where the daemon refuses the login, or ends during it. */
  async visit(daemon: Daemon): Promise<Visit> {
    const began = this.ledger.tick();
    const raw = await connected(this.lives.t, daemon);
    const before = this.#session;
    const { header, values } = await logIn(raw, this.user, before ? { grant: before.grant } : {});
    if (header.code !== Code.done) throw new Error(`${this.name} can't log in: ${String(header.code)}`);
    this.#session = values as Values<typeof structs.passAnswer>;
    if (before && (!Buffer.from(before.grant).equals(this.#session.grant) || before.ends !== this.#session.ends))
      this.ledger.fault(`the grant of ${this.name} was lost`);
    const { queued, uid } = (await raw.event(structs.cnnt)).values;
    this.user.uid = uid.slice();
    return { raw, queued, began };
  }
}

/** Hands over all that comes, until `done` says so, which is asked before each wait. */
export async function pump(raw: RawConnection, done: () => boolean, take: (received: Received) => void): Promise<void> {
  while (!done()) take(await raw.next(() => true));
}

/** Acknowledges what one turn of the loop brought, 64 at most in a frame. */
export class Acknowledger {
  readonly #raw: RawConnection;
  #ids: Uint8Array[] = [];
  #isHeld = false;

  constructor(raw: RawConnection) {
    this.#raw = raw;
  }

  add(id: Uint8Array): void {
    if (this.#ids.length === 0) setImmediate(() => this.flush());
    this.#ids.push(id);
  }

  /** Nothing is acknowledged for so many ms. */
  hold(ms: number): void {
    this.#isHeld = true;
    setTimeout(() => {
      this.#isHeld = false;
      this.flush();
    }, ms);
  }

  flush(): void {
    if (this.#isHeld) return;
    for (let ids = this.#ids.splice(0, ACKS_PER_FRAME); ids.length > 0; ids = this.#ids.splice(0, ACKS_PER_FRAME))
      this.#raw.send(structs.ackd, { ids: ids.map((id) => ({ id })) });
  }
}
