/**
 * A client that does exactly what a test says: the protocol's own parts without the client core, so
 * that frames can be forged, held back, repeated and damaged.
 */
import {
  beginHandshake,
  Code,
  concat,
  daemonStruct,
  decode,
  encode,
  FRAME,
  ID,
  keysMessage,
  Label,
  linkedBuild,
  linkedKeys,
  loginMessage,
  LoginTranscript,
  peekFrameId,
  peekOpcode,
  peekStatus,
  peekStep,
  possession,
  signRequest,
  Status,
  structs,
  SUITE_RSA,
  utf8,
  wordsProof,
  type Ack,
  type ClientBuild,
  type Header,
  type LinkedNetwork,
  type NetworkKeys,
  type Ports,
  type Request,
  type Session,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { connectTcp } from '../../src/transport/tcp.js';
import { tlsConnector } from '../../src/transport/tls.js';
import type { Connection } from '../../src/transport/transport.js';
import { epochs } from './epochs.js';
import { hurriedPasswords } from './passwords.js';
import { nextRsa } from './rsa-pairs.js';
import { uninvited } from './registration.js';

export const ports: Ports<NodeRsaPrivate> = { sync: nodeSync, asymmetric: nodeAsymmetric };

export interface Received {
  readonly opcode: number;
  readonly step: number;
  readonly frameId: Uint8Array;
  readonly header: Header;
  readonly values: Readonly<Record<string, unknown>>;
  readonly bytes: Uint8Array;
}

export interface Where {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** A connection before and after its handshake. */
export class RawConnection {
  readonly connection: Connection;
  #first: Uint8Array = new Uint8Array(0);
  #session: Session | undefined;
  #received: Received[] = [];
  #waiting: {
    test: (received: Received) => boolean;
    resolve: (received: Received) => void;
    reject: (e: Error) => void;
  }[] = [];
  #wake: (() => void)[] = [];
  #isClosed = false;
  /** Every byte that came. */
  bytesReceived = 0;
  /** Called for each struct before it is queued; a login switches keys here. */
  onStruct: ((bytes: Uint8Array, received: Received) => void) | undefined;
  /** Takes every struct instead of the queue: for a load, which decodes nothing it does not need. */
  fast: ((bytes: Uint8Array) => void) | undefined;
  readonly closed: Promise<void>;
  /** Frames that we seal under one key; undefined: as many as may be. */
  epochFrames: number | undefined;
  /** ms by which our clock of epochs goes before the daemon's. */
  ahead = 0;
  /** Blocks of the daemon that were opened. */
  epochs = 0;
  #server: Uint8Array = new Uint8Array(0);

  private constructor(connection: Connection) {
    this.connection = connection;
    this.closed = new Promise((resolve) => {
      connection.start({
        data: (chunk) => {
          this.#data(chunk);
        },
        drained: () => undefined,
        closed: () => {
          this.#isClosed = true;
          for (const { reject } of this.#waiting) reject(new Error('closed'));
          for (const wake of this.#wake) wake();
          resolve();
        },
      });
    });
  }

  static async connect(where: Where, pins: readonly string[]): Promise<RawConnection> {
    const connect = where.tls ? tlsConnector({ pins, allowInvalid: false }) : connectTcp;
    return new RawConnection(await connect({ host: where.host, port: where.port }));
  }

  static over(connection: Connection): RawConnection {
    return new RawConnection(connection);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get session(): Session {
    if (!this.#session) throw new Error('no session yet');
    return this.#session;
  }

  #data(chunk: Uint8Array): void {
    this.bytesReceived += chunk.length;
    if (this.#session) this.#push(chunk);
    else {
      this.#first = concat(this.#first, chunk);
      for (const wake of this.#wake.splice(0)) wake();
    }
  }

  #push(chunk: Uint8Array): void {
    const ok = this.#session?.receive.push(chunk, (bytes) => {
      this.#struct(bytes);
      return true;
    });
    if (!ok) throw new Error('a frame from the daemon does not open');
  }

  #struct(bytes: Uint8Array): void {
    if (this.fast) {
      this.fast(bytes);
      return;
    }
    const opcode = peekOpcode(bytes);
    const step = peekStep(bytes);
    const struct = daemonStruct(opcode, step, peekStatus(bytes) === Status.error) ?? structs.answer;
    const decoded = decode<Struct>(struct, bytes);
    if (decoded.problem) throw new Error(`the daemon sent a malformed struct: ${decoded.problem}`);
    const { header, values } = decoded;
    const received: Received = { opcode, step, frameId: peekFrameId(bytes), header, values, bytes };
    this.onStruct?.(bytes, received);
    if (opcode === structs.ansr.opcode && header.status !== Status.error) {
      const rows = (values as Values<typeof structs.ansr>).answers;
      for (const row of rows) {
        const { opcode, step, frame, status, code } = row;
        const own = { ...header, opcode, step, frameId: frame, status: status as Status, code: code as Code };
        this.#hand({ opcode, step, frameId: frame, header: own, values: { wait: 0 }, bytes });
      }
    } else this.#hand(received);
  }

  #hand(received: Received): void {
    const index = this.#waiting.findIndex(({ test }) => test(received));
    if (index < 0) this.#received.push(received);
    else this.#waiting.splice(index, 1)[0]?.resolve(received);
  }

  /** The first received thing that passes, past ones included. Rejects when the connection ends. */
  next(test: (received: Received) => boolean): Promise<Received> {
    const index = this.#received.findIndex(test);
    if (index >= 0) {
      const [found] = this.#received.splice(index, 1);
      if (found) return Promise.resolve(found);
    }
    if (this.#isClosed) return Promise.reject(new Error('closed'));
    return new Promise((resolve, reject) => this.#waiting.push({ test, resolve, reject }));
  }

  /** The next event of an opcode, with its layout's values. */
  async event<S extends Struct>(struct: S): Promise<{ header: Header; values: Values<S> }> {
    const { header, values } = await this.next(({ opcode }) => opcode === struct.opcode);
    return { header, values: values as Values<S> };
  }

  /** @returns the ACK, or undefined where the connection closed without one */
  async handshake(
    linked: LinkedNetwork,
    change: {
      now?: number;
      who?: Partial<ClientBuild>;
      keys?: Partial<NetworkKeys>;
      hello?: (h: Uint8Array) => Uint8Array;
      /** makes the keys of the handshake */
      asymmetric?: Ports['asymmetric'];
    } = {},
  ): Promise<Ack | undefined> {
    const who = { ...linkedBuild(linked), ...change.who };
    const keys = { ...linkedKeys(linked), ...change.keys };
    const { asymmetric = ports.asymmetric } = change;
    const begun = await beginHandshake(
      { ...ports, asymmetric },
      keys,
      this.connection.binding,
      who,
      change.now ?? Date.now(),
    );
    this.connection.write(change.hello ? change.hello(begun.hello) : begun.hello);
    const bytes = await this.firstFrame();
    if (!bytes) return undefined;
    const ack = await begun.finish(bytes);
    if (!ack) throw new Error('the ACK does not open');
    if (ack.session) {
      this.#session = ack.session;
      this.#server = keys.serverModulus;
      const rest = this.#first;
      this.#first = new Uint8Array(0);
      if (rest.length > 0) this.#push(rest);
    }
    return ack;
  }

  async firstFrame(): Promise<Uint8Array | undefined> {
    while (this.#first.length < FRAME) {
      if (this.#isClosed) return undefined;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    const frame = this.#first.subarray(0, FRAME);
    this.#first = this.#first.subarray(FRAME);
    return frame;
  }

  /** What a login ends with; from it on keys follow one another. */
  authenticated(secret: Uint8Array, th3: Uint8Array, b2: Uint8Array, enc: NodeRsaPrivate): void {
    const opened = (): void => {
      this.epochs++;
    };
    const host = {
      elapsed: () => performance.now() + this.ahead,
      hold: (held: boolean) => {
        if (held) this.connection.pause();
        else this.connection.resume();
      },
      refused: () => {
        throw new Error('a block from the daemon does not open');
      },
    };
    const more = { ...host, opened, ...(this.epochFrames ? { frames: this.epochFrames } : {}) };
    this.session.authenticated(secret, th3, b2, epochs({ modulus: this.#server }, enc, more));
  }

  sendStruct(bytes: Uint8Array): void {
    this.session.send.add(bytes);
    this.connection.write(this.session.send.take());
  }

  /** Sends a command, does not wait. */
  send<S extends Struct>(struct: S, values: Values<S>, frameId: Uint8Array = nodeSync.random(ID)): Uint8Array {
    const bytes = encodeCommand(struct, values, frameId);
    this.sendStruct(bytes);
    return bytes;
  }

  answerTo(frameId: Uint8Array): Promise<Received> {
    const wanted = Buffer.from(frameId).toString('hex');
    return this.next((r) => Buffer.from(r.frameId).toString('hex') === wanted);
  }

  /** Sends a command and waits for its answer. */
  async ask<S extends Struct>(
    struct: S,
    values: Values<S>,
    frameId: Uint8Array = nodeSync.random(ID),
  ): Promise<Received> {
    this.send(struct, values, frameId);
    return this.answerTo(frameId);
  }

  close(): void {
    this.connection.destroy();
  }
}

export function encodeCommand<S extends Struct>(struct: S, values: Values<S>, frameId: Uint8Array): Uint8Array {
  const { opcode, step } = struct;
  return encode(struct, { opcode, step, frameId, time: Date.now(), status: Status.valid, code: Code.none }, values);
}

export interface RawUser {
  readonly name: string;
  readonly password: string;
  readonly enc: NodeRsaPrivate;
  readonly sig: NodeRsaPrivate;
  /** W: stretched words; random here, what stretching makes is 32 bytes */
  readonly w: Uint8Array;
  uid: Uint8Array;
  /** of the words, as the last login made it */
  proof: Uint8Array;
}

const pairs = new Map<string, Promise<NodeRsaPrivate[]>>();

/** Who has one name in several networks has the same keys there: making them takes longer than most tests. */
export async function makeUser(name: string): Promise<RawUser> {
  const made = pairs.get(name) ?? Promise.all([nextRsa(), nextRsa()]);
  pairs.set(name, made);
  const [enc, sig] = await made;
  if (!enc || !sig) throw new Error('no keys');
  return {
    name,
    password: `password of ${name}`,
    enc,
    sig,
    w: nodeSync.random(32),
    uid: new Uint8Array(ID),
    proof: new Uint8Array(32),
  };
}

/** Two users who asked each other, so that each may write to the other. */
export async function befriend(one: RawConnection, a: RawUser, other: RawConnection, b: RawUser): Promise<void> {
  const asked = [
    one.ask(structs.jmpu, await requestOf(a, b.name)),
    other.ask(structs.jmpu, await requestOf(b, a.name)),
  ];
  for (const raw of [one, other]) {
    const { header } = await raw.event(structs.rjmp);
    raw.send(structs.ackd, { ids: [{ id: header.frameId }] });
  }
  for (const { header } of await Promise.all(asked))
    if (header.status !== Status.valid) throw new Error(`jmpu: ${String(header.code)}`);
}

export function requestOf(user: RawUser, to: string): Promise<Request> {
  const { uid, name, enc, sig } = user;
  const fields = { to, uid, name, enc: enc.modulus, sig: sig.modulus, time: Date.now(), suite: SUITE_RSA };
  return signRequest(ports, sig, fields);
}

/** What somebody brings and tells at the registration. */
export interface Told {
  readonly invitation?: Uint8Array;
  readonly fullName?: string;
  readonly email?: string;
  /** Types what came by mail; undefined: the registration goes no further. */
  readonly code?: () => Promise<string>;
}

/** crea, all steps. @returns the last answer */
export async function registerUser(raw: RawConnection, user: RawUser, told: Told = {}): Promise<Received> {
  const password = await hurriedPasswords();
  const begun = password.registrationStart(user.password);
  const first = await raw.ask(structs.crea1, {
    name: user.name,
    enc: user.enc.modulus,
    sig: user.sig.modulus,
    opaque: begun.request,
    invitation: told.invitation ?? uninvited.invitation,
  });
  if (first.header.status === Status.error) return first;
  const answer = first.values as Values<typeof structs.crea1Answer>;
  user.uid = answer.uid.slice();
  const p = await ports.asymmetric.oaepOpen(user.enc, Label.pop, answer.block);
  const done = password.registrationFinish(user.password, begun.state, answer.opaque);
  if (!p || !done) throw new Error('the first step of crea does not open');
  const { th2 } = raw.session;
  const message = keysMessage(th2, user.name, user.enc.modulus, user.sig.modulus);
  const second = await raw.ask(structs.crea2, {
    mac: possession(nodeSync, p, th2, done.record),
    signature: await ports.asymmetric.pssSign(user.sig, Label.keys, message),
    record: done.record,
    words: nodeSync.sha256(wordsProof(nodeSync, done.exportKey, user.w)),
    fullName: utf8(told.fullName ?? ''),
    email: utf8(told.email ?? ''),
  });
  if (second.header.code !== Code.mailed || !told.code) return second;
  return raw.ask(structs.crea3, { code: utf8(await told.code()) });
}

/** How `pass` and others prove the second factor. */
export interface FactorCode {
  readonly factor: number;
  readonly code: Uint8Array;
}
export const noCode: FactorCode = { factor: 0, code: new Uint8Array(0) };

export interface LoginChange {
  readonly password?: string;
  /** signs instead of the user's own key */
  readonly sig?: NodeRsaPrivate;
  readonly w?: Uint8Array;
  readonly grant?: Uint8Array;
  /** of a second factor */
  readonly code?: FactorCode | undefined;
  /** asks for a code by mail, and types what it gives */
  readonly mailed?: () => Promise<string>;
  /** signs another transcript than this connection's */
  readonly th2?: Uint8Array;
  /** gets the words proof; nothing is shown before it is done */
  readonly proven?: (words: Uint8Array) => unknown;
}

/** auth and pass. @returns the last answer: of `pass`, or the error that came before */
export async function logIn(raw: RawConnection, user: RawUser, change: LoginChange = {}): Promise<Received> {
  const password = await hurriedPasswords();
  const typed = change.password ?? user.password;
  const { session } = raw;
  const begun = password.loginStart(typed);
  const message = loginMessage(change.th2 ?? session.th2, user.name, begun.ke1);
  const signature = await ports.asymmetric.pssSign(change.sig ?? user.sig, Label.login, message);
  const transcript = new LoginTranscript();
  const step = async <S extends Struct>(struct: S, values: Values<S>): Promise<Received> => {
    const id = nodeSync.random(ID);
    transcript.add(raw.send(struct, values, id));
    const received = await raw.answerTo(id);
    if (received.header.status !== Status.finished) transcript.add(received.bytes);
    return received;
  };
  const first = await step(structs.auth1, { name: user.name, signature, ke1: begun.ke1 });
  if (first.header.status === Status.error) return first;
  const { block, ke2 } = first.values as Values<typeof structs.auth1Answer>;
  const opened = password.loginFinish(typed, begun.state, ke2);
  const second = await step(structs.auth2, { ke3: opened?.ke3 ?? nodeSync.random(64) });
  if (second.header.status === Status.error || !opened) return second;
  const s2 = await ports.asymmetric.oaepOpen(user.enc, Label.s2, block);
  if (!s2) throw new Error('B2 does not open');
  raw.onStruct = (bytes, received) => {
    if (received.opcode !== structs.pass.opcode || received.header.status !== Status.finished) return;
    transcript.add(bytes);
    raw.authenticated(concat(s2, opened.sessionKey), transcript.hash(nodeSync, session.th2), block, user.enc);
  };
  const words = wordsProof(nodeSync, opened.exportKey, change.w ?? user.w);
  user.proof = words;
  await change.proven?.(words);
  if (change.mailed) {
    const sent = await step(structs.mcod, { words });
    if (sent.header.status === Status.error) return sent;
    return step(structs.pass, { words, factor: 4, code: utf8(await change.mailed()) });
  }
  const shown = change.code ?? (change.grant ? { factor: 3, code: change.grant } : noCode);
  return step(structs.pass, { words, ...shown });
}
