/** What the client’s tests stand on: storage in memory, a clock that is moved by hand, cryptography. */
import { exportPrivate, nodeAsymmetric, nodeSync, rsaPrivate, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { utf8, type LinkedNetwork } from '../../protocol/index.js';
import type { ClientCrypto, ClientStorage, Clock } from '../../src/client/index.js';
import { hurriedPasswords } from '../support/passwords.js';
import { nextRsa } from '../support/rsa-pairs.js';

export class MemoryStorage implements ClientStorage {
  readonly files = new Map<string, Uint8Array>();
  /** memory behind a growing file, so that appending does not copy all of it */
  readonly #room = new Map<string, Uint8Array>();
  /** called before each write takes effect; throws to fail it */
  before: (what: string) => void | Promise<void> = () => undefined;

  read(name: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.files.get(name)?.slice());
  }
  async replace(name: string, bytes: Uint8Array): Promise<void> {
    await this.before(`replace ${name}`);
    this.files.set(name, bytes.slice());
  }
  async append(name: string, bytes: Uint8Array): Promise<void> {
    await this.before(`append ${name}`);
    const before = this.files.get(name) ?? new Uint8Array(0);
    const length = before.length + bytes.length;
    let room = this.#room.get(name);
    if (!room || before.buffer !== room.buffer || room.length < length) {
      room = new Uint8Array(2 * length);
      room.set(before);
      this.#room.set(name, room);
    }
    room.set(bytes, before.length);
    this.files.set(name, room.subarray(0, length));
  }
  async remove(name: string): Promise<void> {
    await this.before(`remove ${name}`);
    this.files.delete(name);
  }
  /** The disk as a crash would leave it now. */
  copy(): MemoryStorage {
    const twin = new MemoryStorage();
    for (const [name, bytes] of this.files) twin.files.set(name, bytes.slice());
    return twin;
  }
  get stateLog(): string {
    return [...this.files.keys()].find((name) => name.startsWith('state-')) ?? '';
  }
}

/** Real timers, but a time of day that a test can move on. */
export class MovableClock implements Clock {
  offset = 0;
  /** what somebody set the clock by: timers know nothing of it */
  skew = 0;
  readonly #timers = new Set<{ due: number; run: () => void; handle: NodeJS.Timeout }>();

  now(): number {
    return this.#elapsed() + this.skew;
  }
  #elapsed(): number {
    return Date.now() + this.offset;
  }
  elapsed(): number {
    return performance.now() + this.offset;
  }
  after(ms: number, run: () => void): () => void {
    const handle = setTimeout(
      () => {
        this.#timers.delete(timer);
        run();
      },
      Math.min(ms, 2 ** 31 - 1),
    );
    const timer = { due: this.#elapsed() + ms, run, handle };
    this.#timers.add(timer);
    return () => {
      clearTimeout(handle);
      this.#timers.delete(timer);
    };
  }
  /** Moves on and runs at once what became due. */
  forward(ms: number): void {
    this.offset += ms;
    const due = [...this.#timers].filter((timer) => timer.due <= this.#elapsed()).sort((a, b) => a.due - b.due);
    for (const timer of due) {
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
      timer.run();
    }
  }
}

export async function clientCrypto(): Promise<ClientCrypto> {
  return {
    sync: nodeSync,
    asymmetric: nodeAsymmetric,
    password: {
      ...(await hurriedPasswords()),
      stretch: (secret, salt) => Promise.resolve(nodeSync.hmac(salt, utf8(secret))),
    },
    keys: { generate: nextRsa, export: (key) => exportPrivate(key as NodeRsaPrivate), import: rsaPrivate },
  };
}

/** What a client of no network in particular is linked with. */
export const anyNetwork: LinkedNetwork = {
  network: 'test',
  version: '1.2.3',
  build: 7,
  software: '00'.repeat(16),
  table: '00'.repeat(32),
  generation: 1,
  networkKey: '00'.repeat(16),
  serverModulus: 'ff'.repeat(256),
  pins: [],
};
