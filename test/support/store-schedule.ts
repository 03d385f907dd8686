/**
 * One seeded life of a store on a simulated disk: calls of several users, awaited or not, checkpoints, one
 * fault in each generation, a death, the next start from what remained, and at the end everything is read
 * and compared with what was acknowledged.
 */
import {
  StorageError,
  StoreRefusal,
  type Account,
  type Consent,
  type QueueEntry,
  type Room,
  type Store,
} from '../../src/store/store.js';
import { Draws } from './draws.js';
import { atCall, diskError, SimulatedDisk, type DiskCall, type Fault } from './simulated-disk.js';
import { StoreCalls, type StoreCall } from './store-calls.js';
import { REFUSED, StoreModel, type Begun } from './store-model.js';
import { noSecurity } from '../../src/store/store.js';
import { RETRY_MS } from '../../src/store/journal/checkpoints.js';

const START = 1_800_000_000_000;
const HOUR = 3600_000;
const FOLDER = '/data';
/** A store that hangs for so long, in ms, never answers. */
const PATIENCE_MS = 5000;
const MAX_QUEUE_ENTRIES = 12;

export interface OpenOptions {
  readonly now: () => number;
  readonly maxQueueEntries: number;
  readonly segmentBytes: number;
  readonly openParts: number;
}

export interface OpenStore {
  readonly store: Store;
  checkpoint(): Promise<void>;
}

export type Opener = (folder: string, disk: SimulatedDisk, options: OpenOptions) => Promise<OpenStore>;

/**
 * A page of a queue that is read while its entries are acknowledged may lack them, though it was asked for
 * before: schedules leave it out, unless STRICTLY=order.
 */
const IN_ORDER = process.env['STRICTLY'] === 'order';

const FAULTS = ['none', 'death', 'death', 'death', 'eio', 'sync', 'room', 'open'] as const;
type FaultKind = (typeof FAULTS)[number];

const CHANGING: readonly DiskCall[] = ['open', 'write', 'truncate', 'sync', 'datasync', 'mkdir', 'rename', 'unlink'];

/**
 * Runs the schedule of this seed. Returns what is wrong, or undefined.
 * @param trace is told of everything that happens
 */
export async function runSchedule(
  seed: number,
  open: Opener,
  trace: (line: string) => void = () => undefined,
): Promise<string | undefined> {
  const schedule = new Schedule(seed, open, trace);
  try {
    await schedule.run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}

class Wrong extends Error {}

class Schedule {
  readonly #draws: Draws;
  readonly #open: Opener;
  readonly #trace: (line: string) => void;
  readonly #model = new StoreModel();
  readonly #calls: StoreCalls;
  readonly #options: OpenOptions;
  readonly #accounts: Account[] = [];
  readonly #rooms: Room[] = [];
  readonly #entries: QueueEntry[] = [];
  readonly #frameIds: Uint8Array[];
  readonly #hashes: Uint8Array[];
  /** Who causes entries. */
  readonly #causes: Uint8Array[];
  #now = START;
  #disk: SimulatedDisk;
  #generation!: Generation;

  constructor(seed: number, open: Opener, trace: (line: string) => void) {
    const draws = new Draws(seed);
    this.#draws = draws;
    this.#open = open;
    this.#trace = trace;
    this.#options = {
      now: () => this.#now,
      maxQueueEntries: MAX_QUEUE_ENTRIES,
      segmentBytes: draws.pick([1500, 6000, 20_000, 1_000_000]),
      openParts: draws.pick([1, 2, 1000]),
    };
    this.#calls = new StoreCalls(this.#model, () => this.#now, MAX_QUEUE_ENTRIES);
    this.#frameIds = Array.from({ length: 4 }, () => draws.bytes(16));
    this.#causes = Array.from({ length: 3 }, () => draws.bytes(16));
    this.#hashes = Array.from({ length: 6 }, () => draws.bytes(32));
    this.#disk = new SimulatedDisk(draws, { turns: draws.pick([0, 1, 3]) });
  }

  async run(): Promise<void> {
    const generations = 1 + this.#draws.below(4);
    for (let n = 0; n < generations; n++) {
      const fault = n === 0 && this.#draws.chance(0.5) ? 'none' : this.#draws.pick(FAULTS);
      await this.#live(fault, 5 + this.#draws.below(n === 0 ? 70 : 40));
    }
    await this.#last();
  }

  /** From one start to one death. */
  async #live(fault: FaultKind, calls: number): Promise<void> {
    const generation = await this.#begin(fault);
    if (generation) {
      await this.#work(calls);
      await this.#end();
    }
    this.#next();
  }

  async #begin(fault: FaultKind): Promise<Generation | undefined> {
    const disk = this.#disk;
    this.#trace(`--- start, fault: ${fault}`);
    disk.trace = this.#trace;
    disk.shortWrites = this.#draws.pick([0, 0, 0, 0.3]);
    const met = setFault(disk, fault, this.#draws);
    const opened = await within(this.#open(FOLDER, disk, this.#options), disk, 'the start');
    if (opened === DEAD) return undefined;
    if (opened instanceof Error) {
      if (opened instanceof StoreRefusal) throw new Wrong(`a crash is no damage: ${opened.message}`, { cause: opened });
      if (!met.fault || !(opened instanceof StorageError)) throw new Wrong(`it did not start: ${opened.stack ?? ''}`);
      this.#trace(`the start failed: ${opened.message}`);
      return undefined;
    }
    this.#generation = new Generation(disk, opened, met);
    return this.#generation;
  }

  async #work(calls: number): Promise<void> {
    const generation = this.#generation;
    const { disk } = generation;
    for (let n = 0; n < calls && !disk.dead; n++) {
      const draws = this.#draws;
      const begun = draws.chance(0.04) ? this.#checkpoint() : this.#make(this.#draw());
      if (disk.capacity < Infinity && draws.chance(0.1)) await this.#makeRoom();
      const then = draws.below(20);
      if (then < 6 && begun) await within(begun, disk, 'a call');
      else if (then < 9) await turns(draws.below(60));
      else if (then < 10) await this.#quiesce(draws.chance(0.5));
    }
  }

  /** Room on a full disk again: what is called once a checkpoint may be tried anew must not be refused. */
  async #makeRoom(): Promise<void> {
    const generation = this.#generation;
    generation.disk.capacity = Infinity;
    this.#trace('room is made');
    await this.#quiesce(true);
    this.#now += RETRY_MS;
    generation.mayRefuse = false;
  }

  /** Waits for all calls; then the clock may go on, and everything may be read. */
  async #quiesce(reading: boolean): Promise<void> {
    const generation = this.#generation;
    await within(Promise.allSettled(generation.open), generation.disk, 'calls');
    if (reading) {
      for (const call of this.#draws.shuffled(this.#calls.readAll())) {
        if (generation.isDead()) return;
        if (this.#make(call)) continue;
        await within(Promise.allSettled(generation.open), generation.disk, 'reads');
        void this.#make(call);
      }
      await within(Promise.allSettled(generation.open), generation.disk, 'reads');
    }
    if (generation.isDead()) return;
    this.#settle();
    if (this.#draws.chance(0.3)) this.#now += this.#draws.pick([1, 1000, HOUR, 11 * 24 * HOUR]);
  }

  #settle(): void {
    this.#generation.check();
    this.#model.settle();
  }

  async #end(): Promise<void> {
    const generation = this.#generation;
    const { disk } = generation;
    const way = this.#draws.below(4);
    if (!disk.dead && way < 3) await this.#quiesce(way > 0);
    if (!disk.dead && way === 2) {
      const closed = await within(generation.store.close(), disk, 'closing');
      this.#trace(`closed ${closed instanceof Error ? closed.message : ''}`);
      if (closed instanceof Error && !generation.met.fault) throw closed;
      if (closed !== DEAD && !generation.met.fault && disk.handles > 0) {
        throw new Wrong(`${disk.handles} files are open after closing`);
      }
    }
    // What the dying process still learnt is told before it is gone.
    for (let n = 0; n < 3; n++) await new Promise((resolve) => setImmediate(resolve));
    await generation.checkFailed();
  }

  /** The disk as the next process meets it. */
  #next(): void {
    const cut = this.#draws.chance(0.65);
    this.#trace(cut ? '--- power cut' : '--- killed');
    this.#disk = cut ? this.#disk.crash(this.#draws) : this.#disk.kill(this.#draws);
    this.#disk.capacity = Infinity;
    this.#model.died();
    this.#model.settle();
  }

  /** Without a fault: what is there is compared, lived with a little, and compared again after another start. */
  async #last(): Promise<void> {
    for (const power of [false, true]) {
      const generation = await this.#begin('none');
      if (!generation) throw new Wrong('died without a fault');
      if (power || this.#draws.chance(0.8)) await this.#quiesce(true);
      if (power) {
        await within(generation.store.close(), generation.disk, 'closing');
        return;
      }
      await this.#work(this.#draws.below(20));
      await this.#quiesce(false);
      this.#next();
    }
  }

  #checkpoint(): Promise<unknown> {
    const generation = this.#generation;
    this.#trace('checkpoint');
    const done = generation.opened.checkpoint().then(
      () => this.#trace('checkpoint done'),
      (error: unknown) => {
        this.#trace(`checkpoint failed: ${String(error)}`);
        generation.rejected(error);
      },
    );
    return generation.track(done);
  }

  #make(drawn: StoreCall | undefined): Promise<unknown> | undefined {
    const generation = this.#generation;
    if (!drawn) return undefined;
    // Where a change may be undone, a read that runs beside it may show what was called later.
    const call =
      drawn.isRead && (generation.mayRefuse || (!IN_ORDER && drawn.text.startsWith('queued')))
        ? aloneAtAll(drawn)
        : drawn;
    if (!this.#model.mayBegin(call.steps)) return undefined;
    const begun = this.#model.begin(call.text, call.steps);
    const mustReject = generation.failure !== undefined;
    const mayRefuse = generation.mayRefuse;
    this.#trace(`> ${call.text}`);
    const made = call.perform(generation.store).then(
      (result) => {
        this.#trace(`< ${call.text}: ${String(result)}`);
        begun.done(result);
        if (mustReject) generation.wrong.push(`${call.text} was served after the disk had failed`);
      },
      (error: unknown) => {
        this.#trace(`< ${call.text}: ${String(error)}`);
        this.#rejected(generation, call, begun, error, mayRefuse);
      },
    );
    return generation.track(made);
  }

  #rejected(generation: Generation, call: StoreCall, begun: Begun, error: unknown, mayRefuse: boolean): void {
    if (error instanceof RangeError) return begun.done(REFUSED);
    begun.doubt();
    generation.rejected(error);
    if (!(error instanceof StorageError)) generation.wrong.push(`${call.text} rejected with ${String(error)}`);
    else if (!mayRefuse) generation.wrong.push(`${call.text} was refused though there is room: ${error.message}`);
    else if (call.isRead && error.full && generation.met.kind === 'room') {
      generation.wrong.push(`${call.text} is a read, and was refused because the disk is full`);
    }
  }

  /* What is called. */

  #draw(): StoreCall | undefined {
    const draws = this.#draws;
    const account = this.#accounts.length > 0 ? draws.pick(this.#accounts) : undefined;
    if (!account || draws.chance(0.06)) return this.#newAccount();
    const kind = draws.below(100);
    if (kind < 2) return this.#calls.deleteAccount(account);
    if (kind < 40) return this.#queueCall(account.uid);
    if (kind < 66) return this.#accountCall(account);
    if (kind < 92) return this.#roomCall(account);
    return kind < 98
      ? this.#calls.rememberHello(draws.bytes(32), this.#now - draws.below(1000))
      : this.#calls.recentHellos(this.#now - HOUR);
  }

  #newAccount(): StoreCall {
    const draws = this.#draws;
    const account: Account = {
      uid: draws.bytes(16),
      name: draws.pick(['alice', 'bob', 'carol', 'dave']),
      enc: draws.bytes(256),
      sig: draws.bytes(256),
      record: draws.bytes(192),
      words: draws.bytes(32),
      created: this.#now,
      security: noSecurity,
    };
    const call = this.#calls.createAccount(account);
    if (this.#model.mayBegin(call.steps)) this.#accounts.push(account);
    return call;
  }

  #queueCall(uid: Uint8Array): StoreCall {
    const draws = this.#draws;
    const some = (): Uint8Array => (this.#entries.length > 0 ? draws.pick(this.#entries).id : draws.bytes(16));
    const kind = draws.below(10);
    if (kind < 5) return this.#calls.enqueue(uid, this.#entry());
    if (kind < 8) {
      const from = draws.chance(0.12) && this.#entries.length > 0 ? draws.pick(this.#entries).from : undefined;
      if (from) return this.#calls.dequeue(uid, from);
      return this.#calls.acknowledge(uid, Array.from({ length: 1 + draws.below(5) }, some));
    }
    if (kind < 9) return this.#calls.queued(uid, draws.chance(0.3) ? some() : undefined, 1 + draws.below(15));
    return this.#calls.queueLength(uid);
  }

  /** A new one, or a replay of an older one under a new id. */
  #entry(): QueueEntry {
    const draws = this.#draws;
    const before = this.#entries.length > 0 && draws.chance(0.3) ? draws.pick(this.#entries.slice(-6)) : undefined;
    const entry: QueueEntry = {
      id: draws.bytes(16),
      opcode: before?.opcode ?? 10_001 + draws.below(2),
      from: before?.from ?? draws.pick(this.#causes),
      key: before?.key ?? draws.bytes(16),
      time: this.#now,
      fields: draws.bytes(draws.pick([0, 40, 480, 1200])),
    };
    this.#entries.push(entry);
    if (this.#entries.length > 25) this.#entries.shift();
    return entry;
  }

  #accountCall(account: Account): StoreCall {
    const draws = this.#draws;
    const { uid, name } = account;
    const calls = this.#calls;
    const other = draws.pick(this.#accounts).uid;
    const hash = draws.pick(this.#hashes);
    const frameId = draws.pick(this.#frameIds);
    const choices: (() => StoreCall)[] = [
      () => calls.countAttempt(uid, this.#now),
      () => calls.countAttempt(uid, this.#now),
      () => calls.attempts(uid),
      () => calls.clearAttempts(uid),
      () => calls.saveGrant(uid, { hash, ends: this.#now + draws.pick([500, HOUR, 30 * 24 * HOUR]) }, this.#now),
      () => calls.saveGrant(uid, { hash, ends: this.#now + HOUR }, this.#now),
      () => calls.grants(uid),
      () => calls.revokeGrant(uid, hash),
      () => calls.setConsent(uid, other, draws.pick<Consent>(['open', 'declined', 'blocked'])),
      () => calls.setConsent(uid, other, draws.pick<Consent>(['open', 'declined', 'blocked'])),
      () => calls.consent(uid, other),
      () => calls.keepReply(uid, { frameId, opcode: 100_007, code: draws.pick([200, 202]), time: this.#now }),
      () => calls.keepReply(uid, { frameId, opcode: 100_007, code: draws.pick([200, 202]), time: this.#now }),
      () => calls.reply(uid, frameId),
      () => calls.accountByName(name),
      () => calls.accountByUid(account),
    ];
    return draws.pick(choices)();
  }

  #roomCall(account: Account): StoreCall | undefined {
    const draws = this.#draws;
    const calls = this.#calls;
    const room = this.#rooms.length > 0 ? draws.pick(this.#rooms.slice(-4)) : undefined;
    if (!room || draws.chance(0.08)) return this.#newRoom(account);
    const kind = draws.below(100);
    if (kind < 25) {
      const version = calls.version(room) + draws.pick([0, 0, 0, 1]);
      return calls.changeRoom(room, version, account.uid, draws.bytes(draws.pick([0, 100, 900])));
    }
    if (kind < 75) {
      const key = draws.chance(0.2) ? draws.pick(this.#frameIds) : draws.bytes(16);
      // The same key is the same part of the same message.
      const [length = 0, time = 0, whole = 0] = key;
      const message = Buffer.alloc(16, whole % 32);
      return calls.say(room, { from: room.id, key, message, time: START + time, fields: key.subarray(0, length % 16) });
    }
    if (kind < 83) return calls.said(room);
    if (kind < 90) return calls.roomByName(room.name);
    return kind < 97 ? calls.roomById(room) : calls.deleteRoom(room);
  }

  #newRoom(account: Account): StoreCall {
    const draws = this.#draws;
    const room: Room = {
      id: draws.bytes(16),
      name: draws.pick(['garden', 'kitchen', 'attic']),
      owner: account.uid,
      state: draws.bytes(draws.pick([0, 60, 700])),
    };
    const call = this.#calls.createRoom(room);
    if (this.#model.mayBegin(call.steps)) this.#rooms.push(room);
    return call;
  }
}

/** What is known of the process that runs now. */
class Generation {
  readonly disk: SimulatedDisk;
  readonly opened: OpenStore;
  readonly met: Met;
  /** calls that have not returned */
  readonly open = new Set<Promise<unknown>>();
  readonly wrong: string[] = [];
  /** the first rejection that is final */
  failure: StorageError | undefined;
  /** A change may be refused because there is no room, or too much is open. */
  mayRefuse: boolean;
  #told: StorageError | undefined;

  constructor(disk: SimulatedDisk, opened: OpenStore, met: Met) {
    this.disk = disk;
    this.opened = opened;
    this.met = met;
    this.mayRefuse = met.kind !== 'none' && met.kind !== 'death';
    void opened.store.failed.then((failure) => {
      this.#told = failure;
    });
  }

  isDead(): boolean {
    return this.disk.dead;
  }

  get store(): Store {
    return this.opened.store;
  }

  track(call: Promise<unknown>): Promise<unknown> {
    this.open.add(call);
    return call.finally(() => this.open.delete(call));
  }

  rejected(error: unknown): void {
    if (error instanceof StorageError && !error.full) this.failure ??= error;
  }

  check(): void {
    const [first] = this.wrong;
    if (first !== undefined) throw new Wrong(first);
  }

  /** The store tells of a failure that is final, and of no other. */
  async checkFailed(): Promise<void> {
    this.check();
    if (this.failure && !this.#told)
      throw new Wrong(`rejected for good, and 'failed' does not tell: ${this.failure.message}`);
    if (this.#told && !this.met.fault) throw new Wrong(`failed without a fault: ${this.#told.message}`);
    if (this.met.kind === 'sync' && this.met.fault && !this.#told && !this.disk.dead) {
      throw new Wrong(`a sync failed (${this.met.fault}), and the store goes on`);
    }
    await Promise.resolve();
  }
}

/** The fault of a generation, when it came. */
interface Met {
  readonly kind: FaultKind;
  fault: string | undefined;
}

function setFault(disk: SimulatedDisk, kind: FaultKind, draws: Draws): Met {
  const met: Met = { kind, fault: undefined };
  const early = draws.chance(0.3) ? 40 : 400;
  const meet = (fault: Fault, kinds?: readonly DiskCall[], most = early): void => {
    const ask = atCall(1 + draws.below(most), fault, kinds);
    disk.fault = (call, path) => {
      const answer = ask(call, path);
      if (answer !== undefined) met.fault = `${call} ${path}`;
      return answer;
    };
  };
  if (kind === 'death') meet('die', draws.pick([undefined, CHANGING]), draws.chance(0.3) ? 200 : early);
  else if (kind === 'eio') meet(diskError('EIO'));
  else if (kind === 'sync') meet(diskError('EIO'), ['sync', 'datasync'], early / 8);
  else if (kind === 'open')
    meet(diskError(draws.pick(['EMFILE', 'ENOSPC'])), draws.pick([['open'], CHANGING]), early / 4);
  else if (kind === 'room') {
    disk.capacity = disk.used + draws.below(draws.pick([500, 5000, 20_000]));
    met.fault = 'no room';
  }
  return met;
}

function aloneAtAll(call: StoreCall): StoreCall {
  return { ...call, steps: call.steps.map((each) => ({ ...each, alone: 'both' })) };
}

const DEAD = Symbol('dead');

/** What a promise of the store leads to, or DEAD where its process dies first. */
async function within<T>(call: Promise<T>, disk: SimulatedDisk, what: string): Promise<T | Error | typeof DEAD> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Error>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Wrong(`${what}: never settled`)), PATIENCE_MS);
  });
  const result = call.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  const dead = disk.died.then((): typeof DEAD => DEAD);
  return Promise.race([result, dead, late]).finally(() => {
    clearTimeout(timer);
  });
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await Promise.resolve();
}
