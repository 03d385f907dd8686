/**
 * All that a mailbox has to do with, on one virtual clock: a store whose syncs come when they come and may fail, a client
 * that acknowledges in its own time, senders that want to know what became of what they said.
 */
import { Code, Opcode } from '../../protocol/index.js';
import { Mailbox, type MailboxHost } from '../../src/server/mailbox.js';
import { StorageError, type Enqueued, type QueueEntry, type Store } from '../../src/store/store.js';
import type { Draws } from '../support/draws.js';
import { must } from '../support/fuzz.js';

const uid = new Uint8Array(16);
/** Of a queue in this world. */
const FULL = 40;
const FLIGHTS = 12;

/** All that follows from what was done, at once. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const nameOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What there is on the clock, in order. */
class Clock {
  now = 0;
  #number = 0;
  #due: { readonly at: number; readonly number: number; readonly work: () => void }[] = [];

  after(ms: number, work: () => void): () => void {
    const entry = { at: this.now + ms, number: this.#number++, work };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((each) => each !== entry);
    };
  }

  /** Does what is due next, and all that follows from it at once; false where there is nothing. */
  async step(): Promise<boolean> {
    const [next] = this.#due.sort((a, b) => a.at - b.at || a.number - b.number);
    if (!next) return false;
    this.#due.shift();
    this.now = next.at;
    next.work();
    await turn();
    return true;
  }
}

interface Append {
  readonly undo: () => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The store as far as one queue goes: calls take their place in the order at once, and are durable together, later. */
class Queue {
  entries: QueueEntry[] = [];
  /** Nothing fails any more. */
  isSound = false;
  /** syncs that failed */
  failures = 0;
  readonly #draws: Draws;
  readonly #clock: Clock;
  readonly #syncMs: number;
  #appends: Append[] = [];
  #isSyncing = false;
  readonly #durable = new Map<QueueEntry, Promise<void>>();
  /** The part is being opened: calls wait, in their order. */
  #open: Promise<void> = Promise.resolve();

  constructor(draws: Draws, clock: Clock) {
    this.#draws = draws;
    this.#clock = clock;
    this.#syncMs = draws.pick([1, 20, 400]);
  }

  asStore(): Store {
    return {
      enqueue: (_uid: Uint8Array, entry: QueueEntry) => this.#inOrder(() => this.#enqueue(entry)),
      acknowledge: (_uid: Uint8Array, ids: readonly Uint8Array[]) => this.#inOrder(() => this.#remove(ids)),
      queueLength: () => this.#inOrder(() => this.#settled().then(() => this.entries.length)),
      undelivered: (_uid: Uint8Array, limit: number, isFlying: (id: Uint8Array) => boolean) =>
        this.#inOrder(() => this.#undelivered(limit, isFlying)),
    } as unknown as Store;
  }

  async dequeue(from: Uint8Array): Promise<void> {
    await this.#inOrder(() =>
      this.#remove(this.entries.filter((each) => nameOf(each.from) === nameOf(from)).map(({ id }) => id)),
    );
  }

  async #inOrder<T>(call: () => Promise<T>): Promise<T> {
    if (this.#draws.chance(0.02)) {
      const before = this.#open;
      const ms = this.#draws.below(30);
      this.#open = Promise.all([before, new Promise<void>((resolve) => this.#clock.after(ms, resolve))]).then(
        () => undefined,
      );
    }
    await this.#open;
    return call();
  }

  #append(undo: () => void): Promise<void> {
    const done = new Promise<void>((resolve, reject) => this.#appends.push({ undo, resolve, reject }));
    if (!this.#isSyncing) this.#sync();
    return done;
  }

  #sync(): void {
    this.#isSyncing = true;
    const batch = [...this.#appends]; // what comes now waits for the next one
    this.#clock.after(1 + this.#draws.below(this.#syncMs), () => {
      this.#isSyncing = false;
      if (!this.isSound && this.#draws.chance(0.05)) {
        this.failures++;
        const lost = this.#appends.splice(0);
        for (const each of [...lost].reverse()) each.undo();
        for (const each of lost) each.reject(new StorageError('no room', true));
        return;
      }
      this.#appends.splice(0, batch.length);
      for (const each of batch) each.resolve();
      if (this.#appends.length > 0) this.#sync();
    });
  }

  /** All that was appended before is durable, or undone. */
  async #settled(): Promise<void> {
    if (this.#appends.length > 0) await this.#append(() => undefined).catch(() => undefined);
  }

  async #enqueue(entry: QueueEntry): Promise<Enqueued> {
    const known = this.entries.find((each) => nameOf(each.key) === nameOf(entry.key));
    if (known) {
      await this.#durable.get(known);
      return 'known';
    }
    if (this.entries.length >= FULL) {
      await this.#settled();
      return 'full';
    }
    this.entries.push(entry);
    const durable = this.#append(() => {
      this.entries = this.entries.filter((each) => each !== entry);
    });
    this.#durable.set(entry, durable);
    await durable;
    return 'queued';
  }

  async #remove(ids: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
    const names = new Set(ids.map(nameOf));
    const before = this.entries;
    const gone = before.filter(({ id }) => names.has(nameOf(id)));
    this.entries = before.filter((each) => !gone.includes(each));
    if (gone.length === 0) return [];
    await this.#append(() => {
      /* Back where they were: before all that came since. */
      const back = before.filter((each) => gone.includes(each) || this.entries.includes(each));
      this.entries = [...back, ...this.entries.filter((each) => !back.includes(each))];
    });
    return gone.map(({ id }) => id);
  }

  async #undelivered(limit: number, isFlying: (id: Uint8Array) => boolean): Promise<readonly QueueEntry[]> {
    const page = this.entries.filter(({ id }) => !isFlying(id)).slice(0, limit);
    if (this.#draws.chance(0.3)) {
      const ms = this.#draws.below(20);
      await new Promise<void>((resolve) => this.#clock.after(ms, resolve)); // payloads come from the disk
    }
    return page;
  }
}

interface Said {
  readonly entry: QueueEntry;
  readonly sender: number;
  readonly number: number;
  codes: Code[];
  /** connections of its sender's on which it was said */
  times: number;
  /** as it is on the wire */
  pushed: QueueEntry;
  /** pushes on any connection */
  pushes: number;
  isAcknowledged: boolean;
  /** who said it is gone, and all of it */
  isForgotten: boolean;
  marks: number;
}

/** What a bug of a mailbox's would look like from outside. */
export type Plant = (box: Mailbox) => Mailbox;

export class World {
  readonly #draws: Draws;
  readonly #clock = new Clock();
  readonly #queue: Queue;
  readonly #plant: Plant;
  readonly #said: Said[] = [];
  readonly #byId = new Map<string, Said>();
  #box!: Mailbox;
  #connection = 0;
  #isCongested = false;
  /** pushed on this connection and not acknowledged, in order */
  #wire: Said[] = [];
  #lastOf = new Map<number, number>();
  #isPatient = false;
  /** the first thing, seen from within a call of the mailbox */
  #wrong: Error | undefined;
  #acknowledging = false;

  constructor(draws: Draws, plant: Plant) {
    this.#draws = draws;
    this.#queue = new Queue(draws, this.#clock);
    this.#plant = plant;
  }

  /** @throws Wrong */
  async plays(): Promise<void> {
    this.#connects();
    const senders = 1 + this.#draws.below(3);
    for (let n = 0; n < 20 + this.#draws.below(150); n++) {
      const what = this.#draws.below(100);
      if (what < 60) for (let k = this.#draws.below(6); k >= 0; k--) this.#says(this.#draws.below(senders));
      else if (what < 64) this.#congested(!this.#isCongested);
      else if (what < 67) this.#isPatient = !this.#isPatient;
      else if (what < 69) await this.#reconnects();
      else if (what < 71) this.#forgets(this.#draws.below(senders));
      else if (what < 75) this.#breaks(this.#draws.below(senders));
      this.#acknowledges();
      for (let k = this.#draws.below(8); k > 0; k--) if (!(await this.#clock.step())) break;
    }
    await this.#ends();
  }

  #connects(): void {
    const connection = ++this.#connection;
    this.#wire = [];
    this.#lastOf = new Map();
    this.#isCongested = false;
    const host: MailboxHost = {
      push: (entry) => {
        this.#notes(() => {
          this.#pushed(entry, connection);
        });
      },
      ready: () => !this.#isCongested,
      drained: () => undefined,
      delivered: (entry) => {
        this.#notes(() => {
          this.#marked(entry);
        });
      },
      failed: () => undefined,
      now: () => this.#clock.now,
      after: (ms, work) => this.#clock.after(ms, work),
    };
    this.#box = this.#plant(new Mailbox(uid, this.#queue.asStore(), host, FLIGHTS, this.#queue.entries.length));
    this.#box.start();
  }

  #notes(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#wrong ??= error as Error;
    }
  }

  #marked(entry: QueueEntry): void {
    const said = this.#byId.get(nameOf(entry.id));
    must(said !== undefined, 'a mark for nothing that was said');
    said.marks++;
    must(said.isAcknowledged, 'a mark for what nobody acknowledged');
    /* What could not be removed comes again, and the queue does not know what was answered. */
    must(said.codes[0] !== Code.done || this.#queue.failures > 0, 'a mark for what was answered 200');
  }

  #pushed(entry: QueueEntry, connection: number): void {
    must(connection === this.#connection, 'a push to a connection that is gone');
    must(this.#wire.length < FLIGHTS, 'more flies than may');
    const said = this.#byId.get(nameOf(entry.id));
    must(said !== undefined, 'something was pushed that nobody said');
    must(!said.isForgotten || this.#queue.failures > 0, () => `${String(said.number)} came after it was forgotten`);
    const isAgain = said.isAcknowledged;
    must(!isAgain || this.#queue.failures > 0, () => `${String(said.number)} came again after its acknowledgement`);
    must(!this.#wire.includes(said), () => `${String(said.number)} came twice`);
    const last = this.#lastOf.get(said.sender) ?? -1;
    if (!isAgain && !said.isForgotten) {
      must(said.number > last, () => `${String(said.number)} of ${String(said.sender)} came behind ${String(last)}`);
      this.#lastOf.set(said.sender, said.number);
    }
    said.pushes++;
    said.pushed = entry;
    this.#wire.push(said);
  }

  #says(sender: number): void {
    const n = this.#said.length;
    const id = Buffer.alloc(16);
    id.writeUInt32BE(n + 1);
    const entry = {
      id,
      opcode: Opcode.rvum,
      from: Buffer.alloc(16, sender + 1),
      key: id,
      time: 0,
      fields: Buffer.alloc(4),
    };
    const said: Said = {
      entry,
      sender,
      number: n,
      codes: [],
      times: 0,
      pushed: entry,
      pushes: 0,
      isAcknowledged: false,
      isForgotten: false,
      marks: 0,
    };
    this.#said.push(said);
    this.#delivers(said);
  }

  /** The sender's connection breaks: what has no answer is said again on the next one. */
  #breaks(sender: number): void {
    for (const said of this.#said)
      if (said.sender === sender && said.codes.length === 0 && !said.isForgotten) this.#delivers(said);
  }

  #delivers(said: Said): void {
    const time = ++said.times;
    const id = Buffer.from(said.entry.id);
    id.writeUInt32BE(time, 4);
    this.#byId.set(nameOf(id), said);
    this.#box.deliver({ ...said.entry, id }, (code) => {
      if (time !== said.times) return; // nobody is there any more
      said.codes.push(code);
      this.#notes(() => {
        must(said.codes.length === 1, 'answered twice');
        must(code !== Code.done || said.isAcknowledged, '200 for what nobody acknowledged');
      });
    });
  }

  /** As a room that is deleted: the mailbox first, the queue right behind it. */
  #forgets(sender: number): void {
    const from = Buffer.alloc(16, sender + 1);
    for (const said of this.#said) if (said.sender === sender) said.isForgotten = true;
    this.#wire = this.#wire.filter((said) => said.sender !== sender);
    this.#box.forget(from.toString('latin1'));
    this.#queue.dequeue(from).catch(() => {
      this.#box.restored();
    });
  }

  #congested(on: boolean): void {
    this.#isCongested = on;
    if (!on) void this.#box.drain();
  }

  /** In its own time: some of what came, in order. */
  #acknowledges(): void {
    if (this.#acknowledging || this.#isPatient || this.#wire.length === 0) return;
    this.#acknowledging = true;
    const connection = this.#connection;
    this.#clock.after(this.#draws.pick([0, 5, 100, 300]), () => {
      this.#acknowledging = false;
      if (connection !== this.#connection) return;
      const some = this.#wire.splice(0, 1 + this.#draws.below(this.#wire.length + 3));
      for (const said of some) said.isAcknowledged = true;
      this.#box.acknowledge(some.map(({ pushed }) => pushed.id));
    });
  }

  async #reconnects(): Promise<void> {
    const box = this.#box;
    this.#connection++;
    const end = { isReached: false };
    void box.close().then(() => (end.isReached = true));
    do await turn();
    while (!end.isReached && (await this.#clock.step()));
    must(end.isReached, 'it never ends');
    for (const { codes, number } of this.#said)
      must(codes.length === 1, () => `${String(number)} has no answer after the end`);
    this.#connects();
  }

  /** From here on all is well; then everything has to come to an end. */
  async #ends(): Promise<void> {
    this.#queue.isSound = true;
    this.#isPatient = false;
    this.#congested(false);
    for (let n = 0; n < 20_000; n++) {
      await turn();
      this.#acknowledges();
      if (!(await this.#clock.step())) break;
    }
    if (this.#wrong) throw this.#wrong;
    must(this.#box.isLive, 'not live when all is quiet');
    must(this.#queue.entries.length === 0, () => `${String(this.#queue.entries.length)} entries wait for ever`);
    for (const { codes, number, isAcknowledged, isForgotten, marks } of this.#said) {
      const [code] = codes;
      const what = `${String(number)}, answered ${String(code)},`;
      must(code !== undefined, `${what} has no answer`);
      if (isForgotten) continue;
      if (code === Code.done || code === Code.queued) must(isAcknowledged, `${what} never came`);
      if (code === Code.queued) must(marks > 0 || this.#queue.failures > 0, `${what} has no mark`);
    }
  }
}
