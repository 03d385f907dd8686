/**
 * A reader without a line: an inbox on a journal in memory, and a writer who seals whatever a test wants. RSA is left
 * out, so that a test can afford thousands of envelopes; everything else is the client's own.
 */
import {
  concat,
  conversationId,
  cutText,
  ENVELOPE_VERSION,
  envelopeHash,
  fingerprint,
  hex,
  sealEnvelope,
  SUITE_RSA,
  utf8,
  type AsymmetricCrypto,
  type EnvelopeHeader,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import type { ClientPorts, Item } from '../../src/client/index.js';
import type { Desk } from '../../src/client/desk.js';
import type { Me } from '../../src/client/identity.js';
import { Inbox } from '../../src/client/inbox.js';
import { Journal } from '../../src/client/journal.js';
import type { Event } from '../../src/client/reducer.js';
import { clientCrypto, MemoryStorage, MovableClock } from './client-support.js';

const noRsa: AsymmetricCrypto = {
  ...nodeAsymmetric,
  oaepSeal: (_modulus, _label, plain) => Promise.resolve(concat(plain, new Uint8Array(256 - plain.length))),
  oaepOpen: (_key, _label, block) => Promise.resolve(block.slice(0, 32)),
  pssSign: () => Promise.resolve(new Uint8Array(256)),
  pssVerify: () => Promise.resolve(true),
};
const crypto = { sync: nodeSync, asymmetric: noRsa };
const modulus = (byte: number): Uint8Array => new Uint8Array(256).fill(byte);
const stateKey = new Uint8Array(16).fill(7);
const me: Me = {
  name: 'bob',
  uid: new Uint8Array(16).fill(2),
  enc: { modulus: modulus(3) },
  sig: { modulus: modulus(5) },
  password: '',
  w: new Uint8Array(32),
  stateKey,
};

/** Who writes to the reader: a contact, with a chain of envelopes. */
export class Writer {
  readonly name: string;
  readonly uid: Uint8Array;
  readonly enc: Uint8Array;
  readonly sig: Uint8Array;
  #sequence = 0;
  #previous: Uint8Array = new Uint8Array(32);

  constructor(name: string, byte: number) {
    this.name = name;
    this.uid = new Uint8Array(16).fill(byte);
    this.enc = modulus(byte);
    this.sig = modulus(byte + 2);
  }

  /** One envelope behind the last one; `change` is what a hostile writer would put in its header. */
  async seal(text: Uint8Array, change: Partial<EnvelopeHeader>): Promise<Uint8Array> {
    const header: EnvelopeHeader = {
      version: ENVELOPE_VERSION,
      suite: SUITE_RSA,
      conversation: conversationId(nodeSync, this.uid, me.uid),
      message: nodeSync.random(16),
      sender: this.uid,
      recipient: me.uid,
      senderKeys: fingerprint(nodeSync, { enc: this.enc, sig: this.sig }),
      recipientKeys: fingerprint(nodeSync, { enc: me.enc.modulus, sig: me.sig.modulus }),
      sequence: this.#sequence + 1,
      time: 1_760_000_000_000,
      previous: this.#previous,
      part: 0,
      parts: 1,
      ...change,
    };
    const envelope = await sealEnvelope(crypto, header, text, me.enc.modulus, { modulus: this.sig });
    this.#sequence = header.sequence;
    this.#previous = envelopeHash(nodeSync, envelope);
    return envelope;
  }

  /** All parts of a text, in order. */
  async write(text: string | Uint8Array): Promise<Uint8Array[]> {
    const pieces = cutText(typeof text === 'string' ? utf8(text) : text);
    const message = nodeSync.random(16);
    const envelopes: Uint8Array[] = [];
    for (const [part, piece] of pieces.entries())
      envelopes.push(await this.seal(piece, { message, part, parts: pieces.length }));
    return envelopes;
  }
}

export class Reader {
  readonly clock = new MovableClock();
  storage = new MemoryStorage();
  #journal!: Journal;
  #inbox!: Inbox;
  #stop = (): void => undefined;
  #background: Promise<unknown> = Promise.resolve();

  static async of(...writers: readonly Writer[]): Promise<Reader> {
    const reader = new Reader();
    await reader.restart();
    for (const { name, uid, enc, sig } of writers)
      await reader.#journal.append({ t: 'opened', name, keys: { uid: hex(uid), enc: hex(enc), sig: hex(sig) }, at: 1 });
    return reader;
  }

  /** Everything in memory is gone; what a storage has, is read. */
  async restart(storage = this.storage): Promise<void> {
    this.close();
    this.storage = storage;
    const ports: ClientPorts = {
      linked: {} as ClientPorts['linked'],
      server: { host: 'h', port: 1 },
      connect: () => Promise.reject(new Error('no network here')),
      crypto: { ...(await clientCrypto()), ...crypto },
      storage,
      clock: this.clock,
      log: () => undefined,
    };
    const journal = await Journal.open(ports, stateKey);
    this.#journal = journal;
    const desk: Desk = {
      ports,
      me,
      next: undefined,
      journal,
      record: (...events) => journal.append(...events),
      inTurn: (work) => work(),
      inOwnTurn: (work) => work(),
      background: (work) => {
        this.#background = Promise.all([this.#background, work]);
      },
      limited: () => undefined,
      trouble: () => undefined,
    };
    const inbox = new Inbox(desk);
    this.#inbox = inbox;
    this.#stop = () => {
      inbox.gaps.close();
    };
    await inbox.gaps.drained();
  }

  /** As a delivery does it: resolves when the daemon may be told. */
  async take(...envelopes: readonly Uint8Array[]): Promise<void> {
    for (const envelope of envelopes) await this.#journal.append(...(await this.#inbox.onMessage(envelope)));
    this.#inbox.gaps.watch();
  }

  /** What happened besides. */
  record(...events: readonly Event[]): Promise<void> {
    return this.#journal.append(...events);
  }

  /** The line goes; `restart` has the queue of the next login come. */
  offline(): void {
    this.#inbox.gaps.offline();
  }

  /** Time passes, and what became due has been done. */
  async later(ms: number): Promise<void> {
    this.clock.forward(ms);
    await this.#background;
  }

  get state(): Journal['state'] {
    return this.#journal.state;
  }
  get logBytes(): number {
    return this.storage.files.get(this.storage.stateLog)?.length ?? 0;
  }
  close(): void {
    this.#stop();
  }

  /** Everything unread, page after page, as somebody would who looks. */
  async items(): Promise<Item[]> {
    const all: Item[] = [];
    for (;;) {
      const { items, more } = this.#inbox.unread();
      all.push(...items);
      await this.#inbox.markRead(items.map((item) => item.key));
      if (!more) return all;
    }
  }
  history(name: string): { texts: string[]; pages: number[] } {
    const texts: string[] = [];
    const pages: number[] = [];
    for (let after = 0; ;) {
      const { lines, more } = this.#inbox.history(name, after);
      pages.push(JSON.stringify(lines).length);
      texts.push(...lines.map((line) => line.text));
      after = lines.at(-1)?.order ?? after;
      if (!more) return { texts, pages };
    }
  }
  notices(): string[] {
    return [...this.state.notices.values()].map(({ kind, name, detail }) => `${kind} ${name} ${detail}`);
  }
}
