/** One connection to the daemon: handshake, then requests matched with their answers, and events. */
import {
  beginHandshake,
  Code,
  COMMANDS_FROM,
  concat,
  daemonStruct,
  decode,
  encode,
  FRAME,
  ID,
  Label,
  linkedBuild,
  linkedKeys,
  peekOpcode,
  peekStatus,
  peekStep,
  Status,
  structs,
  Transport,
  type ClientHandshake,
  type Header,
  type LinkedGeneration,
  type NetworkKeys,
  type RsaPrivate,
  type Session,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import type { Connection } from '../transport/transport.js';
import { Answers, type Reply } from './answers.js';
import { asClientError, type ClientError, error } from './errors.js';
import { generationWorked, usableGenerations } from './generations.js';
import { Patience } from './patience.js';
import type { ClientPorts } from './ports.js';

/** From the first byte to the ACK. */
const HANDSHAKE_MS = 15_000;
/** A request without an answer after this long means that the connection is dead. */
const ANSWER_MS = 30_000;
/** What a person waits for may wait so long for the daemon's limits; then they are told. */
const PATIENCE_MS = 5_000;
/** A clean end may take this long; then the connection is cut. */
const LEAVE_MS = 1_000;

/** Events as whole structs that were checked, in order. */
export type OnEvent = (link: Link, struct: Uint8Array, opcode: number) => void;

export class Link {
  readonly #ports: ClientPorts;
  readonly #connection: Connection;
  /** Of the generation that this link is under. */
  readonly #keys: NetworkKeys;
  readonly #onEvent: OnEvent;
  readonly #answers = new Answers();
  readonly #patience = new Patience();
  readonly #early: Uint8Array[] = [];
  #session: Session | undefined;
  #ack: { resolve: (ack: Uint8Array) => void; reject: (reason: ClientError) => void } | undefined;
  #head: Uint8Array = new Uint8Array(0);
  #flushing = false;
  readonly #held = { backlog: false, epoch: false };
  #over: ClientError | undefined;
  /** The daemon ended it before its first byte. */
  #isTurnedAway = false;
  #end!: (reason: ClientError) => void;
  /** Why the link ended; never rejects. */
  readonly closed: Promise<ClientError>;
  /** Messages that may be unanswered at a time. */
  window = 1;

  private constructor(ports: ClientPorts, connection: Connection, keys: NetworkKeys, onEvent: OnEvent) {
    this.#ports = ports;
    this.#keys = keys;
    this.#connection = connection;
    this.#onEvent = onEvent;
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
    connection.start({
      data: (chunk) => {
        this.#data(chunk);
      },
      drained: () => undefined, // what a client has to send is bounded by the window
      closed: (cause) => {
        if (cause) ports.log(`connection closed: ${cause.message}`);
        this.#isTurnedAway = !this.#over && this.#head.length === 0 && this.#early.length === 0;
        this.fail(this.#session ? error('disconnected') : this.#silence());
      },
    });
  }

  /** @throws ClientError */
  static async open(ports: ClientPorts, onEvent: OnEvent): Promise<Link> {
    return Link.#open(ports, onEvent, await usableGenerations(ports));
  }

  /** A daemon that does not know a generation closes without a byte: then the one before it is tried, if it may be. */
  static async #open(
    ports: ClientPorts,
    onEvent: OnEvent,
    [generation, ...older]: readonly LinkedGeneration[],
  ): Promise<Link> {
    if (!generation) throw error('old-keys');
    const at = `${ports.server.host}:${String(ports.server.port)}`;
    let connection: Connection;
    try {
      connection = await ports.connect(ports.server);
    } catch (thrown) {
      throw asClientError(thrown, at);
    }
    const link = new Link(ports, connection, linkedKeys(generation), onEvent);
    const cancel = ports.clock.after(HANDSHAKE_MS, () => {
      link.fail(link.#silence());
    });
    try {
      await link.#handshake(connection);
      await generationWorked(ports, generation.generation);
      return link;
    } catch (thrown) {
      link.fail(asClientError(thrown, at));
      if (link.#isTurnedAway && older.length > 0) return await Link.#open(ports, onEvent, older);
      throw link.#over ?? asClientError(thrown, at);
    } finally {
      cancel();
    }
  }

  #silence(): ClientError {
    return error('no-answer', this.#connection.binding.transport === Transport.tcp ? 'tcp' : 'tls');
  }

  get th2(): Uint8Array {
    if (!this.#session) throw this.#over ?? error('offline');
    return this.#session.th2;
  }

  async #handshake(connection: Connection): Promise<void> {
    const { linked, crypto, clock } = this.#ports;
    const arrived = new Promise<Uint8Array>((resolve, reject) => {
      this.#ack = { resolve, reject };
    });
    arrived.catch(() => undefined); // it may fail before anybody awaits it below; then the await throws it
    const begun: ClientHandshake = await beginHandshake(
      crypto,
      this.#keys,
      connection.binding,
      linkedBuild(linked),
      clock.now(),
    );
    if (!this.#over) connection.write(begun.hello);
    const ack = await begun.finish(await arrived);
    if (!ack) throw this.#silence();
    if (ack.header.code === Code.upgrade) throw error('too-old', linked.version);
    if (!ack.session) throw error('unavailable', String(ack.header.code));
    if (this.#over) throw this.#over;
    this.#session = ack.session;
    this.window = Math.max(1, ack.values.window);
    for (const chunk of this.#early.splice(0)) this.#push(chunk);
  }

  #data(chunk: Uint8Array): void {
    if (this.#over) return;
    if (this.#session) return this.#push(chunk);
    if (!this.#ack) {
      this.#early.push(chunk.slice());
      return;
    }
    this.#head = concat(this.#head, chunk);
    if (this.#head.length < FRAME) return;
    const ack = this.#ack;
    this.#ack = undefined;
    if (this.#head.length > FRAME) this.#early.push(this.#head.slice(FRAME));
    ack.resolve(this.#head.slice(0, FRAME));
  }

  #push(chunk: Uint8Array): void {
    const session = this.#session;
    if (!session || this.#over) return;
    const sound = session.receive.push(chunk, (struct) => this.#frame(struct));
    /* Anybody on the way can make a frame that does not open: a fault of the line, after which it is made anew. */
    if (!sound) this.fail(error('disconnected')); // unless it failed already, for a struct of the daemon itself
  }

  #frame(view: Uint8Array): boolean {
    const opcode = peekOpcode(view);
    const isError = peekStatus(view) === Status.error;
    const struct = daemonStruct(opcode, peekStep(view), isError);
    const copy = view.slice();
    const decoded = struct && decode(struct, copy);
    if (!decoded || decoded.problem) {
      this.fail(error('protocol', `opcode ${String(opcode)}: ${decoded?.problem ?? 'unknown'}`));
      return false;
    }
    if (opcode >= COMMANDS_FROM) {
      const wait = struct.name === structs.answer.name ? (decoded.values as Values<typeof structs.answer>).wait : 0;
      this.#answers.came(decoded.header, wait, copy);
    } else if (opcode === structs.ansr.opcode) this.#answers.cameTogether(decoded.values, decoded.header);
    else this.#onEvent(this, copy, opcode);
    return !this.#over;
  }

  /**
   * @param frameId 16 bytes, the same in a repetition; random where it is left out
   * @param atOnce called while the answer's frame is handled, before any frame behind it is opened
   * @throws ClientError where the link ends before the answer
   */
  request<S extends Struct>(
    struct: S,
    values: Values<S>,
    more: { frameId?: Uint8Array; atOnce?: (reply: Reply) => void; sent?: (bytes: Uint8Array) => void } = {},
  ): Promise<Reply> {
    const frameId = more.frameId ?? this.#ports.crypto.sync.random(ID);
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      const cancel = this.#ports.clock.after(ANSWER_MS, () => {
        this.fail(error('timeout', struct.name));
      });
      this.#answers.expect(frameId, { resolve, reject, atOnce: more.atOnce, cancel });
      const bytes = this.tell(struct, values, frameId);
      if (bytes) more.sent?.(bytes);
    });
  }

  /**
   * The same, of what may be done a little later: where the daemon says how long to wait, it is asked again then, by the
   * same frame id.
   * @throws ClientError where the link ends before the answer
   */
  ask<S extends Struct>(
    struct: S,
    values: Values<S>,
    { most = PATIENCE_MS, waits }: { most?: number; waits?: (seconds: number) => void } = {},
  ): Promise<Reply> {
    const frameId = this.#ports.crypto.sync.random(ID);
    const ask = (): Promise<Reply> => this.request(struct, values, { frameId });
    return this.#patience.ask({ ask, pause: (ms) => this.#pause(ms), most, waits });
  }

  /** Ends with the link, too. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#ports.clock.after(ms, resolve);
      void this.closed.then(() => {
        cancel();
        resolve();
      });
    });
  }

  /** Sends what gets no answer. */
  tell<S extends Struct>(struct: S, values: Values<S>, frameId?: Uint8Array): Uint8Array | undefined {
    const session = this.#session;
    if (!session || this.#over) return undefined;
    const header: Header = {
      opcode: struct.opcode,
      step: struct.step,
      frameId: frameId ?? this.#ports.crypto.sync.random(ID),
      time: this.#ports.clock.now(),
      status: Status.valid,
      code: Code.none,
    };
    const bytes = encode(struct, header, values);
    session.send.add(bytes);
    this.#flushSoon();
    return bytes;
  }

  /** What is due in one turn leaves in one write. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    void Promise.resolve().then(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (!this.#over && this.#session && this.#session.send.pending > 0)
      this.#connection.write(this.#session.send.take());
  }

  /**
   * Call inside `atOnce` of the answer that finishes the login.
   * @param enc opens the blocks of the daemon's later epochs
   */
  authenticated(secret: Uint8Array, th3: Uint8Array, b2: Uint8Array, enc: RsaPrivate): void {
    const { crypto, clock } = this.#ports;
    const keys = {
      theirs: this.#keys.serverModulus,
      open: (block: Uint8Array) => crypto.asymmetric.oaepOpen(enc, Label.epoch, block),
    };
    const host = {
      elapsed: () => clock.elapsed(),
      hold: (held: boolean) => {
        this.#hold('epoch', held);
      },
      refused: () => {
        this.fail(error('disconnected')); // unless it failed already, for a struct of the daemon itself
      },
    };
    this.#session?.authenticated(secret, th3, b2, { keys, host });
  }

  /** Stops and resumes reading: what was read waits to be synced. */
  pause(): void {
    this.#hold('backlog', true);
  }
  resume(): void {
    this.#hold('backlog', false);
  }

  #hold(why: 'backlog' | 'epoch', held: boolean): void {
    this.#held[why] = held;
    if (this.#over) return;
    if (this.#held.backlog || this.#held.epoch) this.#connection.pause();
    else this.#connection.resume();
  }

  /** Ends at once; everything that waits fails with the reason. */
  fail(reason: ClientError): void {
    if (this.#over) return;
    this.#over = reason;
    this.#connection.destroy();
    this.#session?.forget();
    this.#ack?.reject(reason);
    this.#answers.fail(reason);
    this.#end(reason);
  }

  /**
   * A clean end: what was handed over leaves before the connection ends.
   * @param quit the session is over too: the daemon forgets its grant (SPEC 8.5)
   */
  async leave(quit: boolean): Promise<void> {
    if (this.#over) return;
    if (quit) this.tell(structs.quit, {});
    this.#flush();
    if (!quit) this.#connection.end();
    const cancel = this.#ports.clock.after(LEAVE_MS, () => {
      this.fail(error('disconnected'));
    });
    await this.closed;
    cancel();
  }
}
