/**
 * Deliveries to one connected user (SPEC 8). A message is pushed at once and needs the disk only if
 * no acknowledgement comes in time; from then on new ones go behind it in the queue, until all of the
 * queue has been pushed and nothing is overdue. What was pushed and not acknowledged is never lost: when the
 * connection ends, it goes to the disk in the order of its arrival.
 */
import { Code, Opcode } from '../../protocol/index.js';
import { UnknownId, type QueueEntry, type Store } from '../store/store.js';
import { idKey } from './keys.js';
import { ACKNOWLEDGE_MS, DRAIN_RETRY_MS } from './limits.js';

/** Entries that one read of the queue brings. */
const PAGE = 64;

/** The code with which a delivery ended for its sender: 200 acknowledged, 202 on the disk, 429, 507; 404: nobody gets it. */
export type Settle = (code: Code) => void;

/** An entry as the key of maps. */
interface Names {
  /** the delivery's */
  readonly id: string;
  /** what tells a replay */
  readonly key: string;
}
let named: Names & { readonly entry?: QueueEntry } = { id: '', key: '' };

/** Nobody waits any more. */
const nobody: readonly Settle[] = [];

interface Flight {
  readonly entry: QueueEntry;
  readonly names: Names;
  /** ms of the host's clock, since it was pushed */
  deadline: number;
  /** in the queue on disk, or on its way there */
  durable: boolean;
  /** the disk did not take it: it may still be acknowledged, and a replay begins anew */
  refused: boolean;
  /** its sender was told 202, so learns of the delivery by an event */
  told: boolean;
  settles: readonly Settle[];
}

export interface MailboxHost {
  /** Seals the event for the connection. */
  push(entry: QueueEntry): void;
  /** The connection takes more. */
  ready(): boolean;
  /** The queue as it was at the login has been pushed. */
  drained(pushed: number): void;
  /** An entry whose sender was told 202 has been acknowledged. */
  delivered(entry: QueueEntry): void;
  failed(error: unknown): void;
  /** ms of a clock that never goes back */
  now(): number;
  /** Calls so many ms later. @returns what cancels it */
  after(ms: number, work: () => void): () => void;
}

export class Mailbox {
  readonly #uid: Uint8Array;
  readonly #store: Store;
  readonly #host: MailboxHost;
  readonly #most: number;
  /** by delivery id, in the order of pushing */
  readonly #flights = new Map<string, Flight>();
  /** by what tells a replay */
  readonly #byKey = new Map<string, Flight>();
  /** on their way to the disk and not pushed yet, by delivery id */
  readonly #unpushed = new Map<string, Flight>();
  readonly #writes = new Set<Promise<void>>();
  /** acknowledged, or refused by the disk, while the queue is being read: what was read may still hold them */
  readonly #gone = new Set<string>();
  /** causes of entries that were removed meanwhile, likewise */
  readonly #forgotten = new Set<string>();
  #mode: 'queue' | 'live' | 'closed' = 'queue';
  /** How often something came into the queue: what was read of it before is not all. */
  #additions = 0;
  #draining = false;
  /** What was on its way to the disk before this connection is there. */
  #isSettled = false;
  #toDrain: number;
  #pushed = 0;
  #cancelLate: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;

  /** @param waiting entries in the queue at the login */
  constructor(uid: Uint8Array, store: Store, host: MailboxHost, most: number, waiting: number) {
    this.#uid = uid;
    this.#store = store;
    this.#host = host;
    this.#most = most;
    this.#toDrain = waiting;
  }

  /** Everything that concerns the user was pushed: nothing waits in the queue. */
  get isLive(): boolean {
    return this.#mode === 'live';
  }

  /** Begins with what waits on disk. */
  start(): void {
    void this.drain();
  }

  deliver(entry: QueueEntry, settle: Settle): void {
    const names = namesOf(entry);
    const known = this.#byKey.get(names.key);
    if (known) {
      if (known.told) settle(Code.queued);
      else known.settles = [...known.settles, settle];
      return;
    }
    const flight = { entry, names, deadline: 0, durable: false, refused: false, told: false, settles: [settle] };
    if (this.#mode === 'live' && this.#flights.size < this.#most && this.#host.ready()) {
      this.#fly(flight);
      this.#cancelLate ??= this.#host.after(ACKNOWLEDGE_MS, this.#late);
      return;
    }
    this.#spill();
    this.#unpushed.set(names.id, flight);
    this.#byKey.set(names.key, flight);
    this.#write(flight);
    void this.drain();
  }

  acknowledge(ids: readonly Uint8Array[]): void {
    const stored: Uint8Array[] = [];
    const told: QueueEntry[] = [];
    for (const id of ids) {
      const name = idKey(id);
      const flight = this.#flights.get(name);
      if (!flight) continue; // acknowledged before: a client says it again after a break
      this.#flights.delete(name);
      if (this.#byKey.get(flight.names.key) === flight) this.#byKey.delete(flight.names.key);
      if (this.#draining) this.#gone.add(name);
      if (flight.durable) stored.push(flight.entry.id);
      if (flight.told) told.push(flight.entry);
      settleAll(flight, Code.done);
    }
    if (stored.length > 0) this.#remove(stored, told);
    void this.drain(); // behind that call: what is acknowledged is not in the queue any more
  }

  #remove(stored: readonly Uint8Array[], told: readonly QueueEntry[]): void {
    const removed = this.#store.acknowledge(this.#uid, stored).then(
      () => {
        for (const entry of told) if (entry.opcode === Opcode.rvum) this.#host.delivered(entry);
      },
      (error: unknown) => {
        this.#host.failed(error); // they stay in the queue and come again: readers drop duplicates
        this.restored();
      },
    );
    this.#track(removed);
  }

  /**
   * Nothing of this cause goes to the client or the disk any more, and nobody waits for it. What the queue on disk
   * holds of it is the caller's to remove, right behind this call.
   */
  forget(from: string): void {
    if (this.#draining) this.#forgotten.add(from);
    for (const [name, flight] of this.#flights) {
      if (idKey(flight.entry.from) !== from) continue;
      this.#flights.delete(name);
      if (this.#byKey.get(flight.names.key) === flight) this.#byKey.delete(flight.names.key);
      settleAll(flight, Code.notFound);
    }
    queueMicrotask(() => void this.drain()); // behind the caller's call: what it removes is not read any more
  }

  /** A removal from the queue was undone: what it was about comes again, after a while. */
  restored(): void {
    this.#additions++;
    this.#spill();
    this.#drainLater();
  }

  /** Pushes from the queue as far as the connection takes it; back to live when all of it was pushed, and acknowledgements come. */
  async drain(): Promise<void> {
    if (this.#draining || !this.#mayDrain()) return;
    this.#draining = true;
    try {
      if (!this.#isSettled) await this.#store.queueLength(this.#uid);
      this.#isSettled = true;
      while (this.#mayDrain() && this.#host.ready()) {
        const room = this.#most - this.#flights.size;
        if (room <= 0) return; // an acknowledgement calls again
        const before = this.#additions;
        this.#gone.clear();
        this.#forgotten.clear();
        const page = await this.#store.undelivered(this.#uid, Math.min(room, PAGE), this.#isFlying);
        if (!this.#isQueue()) return;
        const fresh = page.filter(({ id, from }) => !this.#gone.has(idKey(id)) && !this.#forgotten.has(idKey(from)));
        for (const entry of fresh) {
          this.#fly(this.#unpushed.get(idKey(entry.id)) ?? stored(entry));
          this.#pushed++;
          this.#sayDrained(false);
        }
        if (page.length > 0 || before !== this.#additions) continue;
        this.#sayDrained(true);
        if (!this.#isOverdue()) this.#mode = 'live';
        return;
      }
    } catch (error) {
      this.#host.failed(error);
      this.#drainLater();
    } finally {
      this.#draining = false;
    }
  }

  readonly #isFlying = (id: Uint8Array): boolean => this.#flights.has(idKey(id));

  /** The client acknowledges late, or not at all: what comes for it goes to the disk beside being pushed. */
  #isOverdue(): boolean {
    const [oldest] = this.#flights.values();
    return oldest !== undefined && oldest.deadline <= this.#host.now();
  }

  /** What is in flight goes to the disk; resolves when every sender has an answer. */
  async close(): Promise<void> {
    this.#spill();
    this.#mode = 'closed';
    this.#cancelLate?.();
    this.#cancelRetry?.();
    while (this.#writes.size > 0) await Promise.all(this.#writes);
  }

  /** A disk that failed once may be well again; nothing else would wake the queue. */
  #drainLater(): void {
    if (this.#mode === 'closed') return;
    this.#cancelRetry ??= this.#host.after(DRAIN_RETRY_MS, () => {
      this.#cancelRetry = undefined;
      void this.drain();
    });
  }

  #isQueue(): boolean {
    return this.#mode === 'queue';
  }

  /** While the disk may be unwell nothing is pushed from it: it would come again with each acknowledgement. */
  #mayDrain(): boolean {
    return this.#isQueue() && this.#cancelRetry === undefined;
  }

  #sayDrained(empty: boolean): void {
    if (this.#toDrain < 0 || (!empty && this.#pushed < this.#toDrain)) return;
    this.#toDrain = -1;
    this.#host.drained(this.#pushed);
  }

  #fly(flight: Flight): void {
    const { entry, names } = flight;
    flight.deadline = this.#host.now() + ACKNOWLEDGE_MS;
    this.#unpushed.delete(names.id);
    this.#flights.set(names.id, flight);
    this.#byKey.set(names.key, flight);
    this.#host.push(entry);
  }

  readonly #late = (): void => {
    this.#cancelLate = undefined;
    for (const flight of this.#flights.values()) {
      if (flight.durable || flight.refused) continue;
      const left = flight.deadline - this.#host.now();
      if (left <= 0) this.#spill();
      else this.#cancelLate = this.#host.after(left, this.#late);
      return;
    }
  };

  /** From live to queue: what flies is written in order, so that nothing newer stands before it. */
  #spill(): void {
    if (this.#mode !== 'live') return;
    this.#mode = 'queue';
    for (const flight of this.#flights.values()) {
      if (flight.durable || flight.refused) continue;
      this.#write(flight);
    }
  }

  #write(flight: Flight): void {
    flight.durable = true;
    this.#additions++;
    const written = this.#store.enqueue(this.#uid, flight.entry).then(
      (result) => {
        if (result === 'full') {
          this.#refuse(flight, Code.limited);
          return;
        }
        const { id, key } = flight.names;
        /* A replay is the queue's to know from now on. */
        if (this.#unpushed.delete(id) && this.#byKey.get(key) === flight) this.#byKey.delete(key);
        flight.told = true;
        settleAll(flight, Code.queued);
      },
      (error: unknown) => {
        if (error instanceof UnknownId) {
          this.#refuse(flight, Code.notFound); // the account was deleted by its owner
          return;
        }
        this.#host.failed(error);
        this.#refuse(flight, Code.storage);
      },
    );
    this.#track(written);
  }

  #refuse(flight: Flight, code: Code): void {
    this.#unpushed.delete(flight.names.id);
    if (this.#draining) this.#gone.add(flight.names.id);
    flight.durable = false;
    flight.refused = true;
    if (this.#byKey.get(flight.names.key) === flight) this.#byKey.delete(flight.names.key);
    settleAll(flight, code);
  }

  #track(write: Promise<void>): void {
    this.#writes.add(write);
    void write.finally(() => this.#writes.delete(write));
  }
}

/** What the queue on disk had before: its sender was told 202. */
function stored(entry: QueueEntry): Flight {
  return { entry, names: namesOf(entry), deadline: 0, durable: true, refused: false, told: true, settles: nobody };
}

function settleAll(flight: Flight, code: Code): void {
  const settles = flight.settles;
  flight.settles = nobody;
  for (const settle of settles) settle(code);
}

/* Asked for one member after another where it is a room's message: made once for all. */
function namesOf(entry: QueueEntry): Names {
  if (named.entry !== entry)
    named = {
      entry,
      id: idKey(entry.id),
      key: String(entry.opcode) + idKey(entry.from) + idKey(entry.key),
    };
  return named;
}
