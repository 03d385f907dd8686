/** A small daemon in memory, honest unless a test says otherwise. */
import {
  createOpaqueSetup,
  nodeAsymmetric,
  nodeSync,
  passwordServer,
  type NodeRsaPrivate,
} from '../../src/crypto/index.js';
import {
  answerHello,
  Code,
  commandStruct,
  concat,
  decode,
  encode,
  envelopeRecipient,
  envelopeSender,
  FRAME,
  hex,
  Label,
  LoginTranscript,
  openHello,
  openInner,
  peekFrameId,
  peekOpcode,
  peekStep,
  Status,
  structs,
  type EpochKeys,
  type LinkedNetwork,
  type PasswordServer,
  type ServerKeys,
  type Session,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import type { ClientPorts, ClientStorage, Clock } from '../../src/client/index.js';
import type { Account as Stored } from '../../src/store/store.js';
import { ConnectError, type Connection } from '../../src/transport/transport.js';
import { clientCrypto } from './client-support.js';
import { MemoryConnection } from './memory-connection.js';
import { nextRsa } from '../support/rsa-pairs.js';

type Account = Omit<Stored, 'created' | 'security'>;

interface Queued {
  readonly id: Uint8Array;
  readonly struct: Struct;
  readonly values: Values<Struct>;
}

/** How the daemon treats a message: its code, or silence, or an immediate end of the connection. */
export type Treatment = Code | 'silence' | 'close';

export async function newGeneration(): Promise<ServerKeys<NodeRsaPrivate>> {
  const pair = await nextRsa();
  return { networkKey: nodeSync.random(16), serverModulus: pair.modulus, serverPrivate: pair };
}

/** As much of a daemon as the client's tests need: honest, unless `treat` or the fields say otherwise. */
export class MemoryDaemon {
  readonly linked: LinkedNetwork;
  /** that it serves, the current one first */
  generations: readonly ServerKeys<NodeRsaPrivate>[];
  /** that were opened to it */
  connections = 0;
  readonly #password: PasswordServer;
  readonly accounts = new Map<string, Account>();
  readonly queues = new Map<string, Queued[]>();
  readonly peers = new Map<string, Peer>();
  /** every envelope that was handed in, in order */
  readonly envelopes: Uint8Array[] = [];
  down = false;
  upgrade = false;
  /** the step of a registration that is answered 400: the network refuses its keys */
  refusesAt: 'crea1' | 'crea2' | undefined;
  /** new epochs that clients began */
  turns = 0;
  /** ms that a session lasts, as the daemon says */
  sessionMs = 12 * 3600_000;
  treat: (envelope: Uint8Array) => Treatment = () => Code.queued;
  /** seconds, in an answer 429 */
  wait = 1;
  /** called with each acknowledged id */
  onAck: (id: string) => void = () => undefined;
  /** called with each uid that somebody blocks */
  onBlock: (uid: Uint8Array) => void = () => undefined;

  private constructor(keys: ServerKeys<NodeRsaPrivate>, password: PasswordServer) {
    this.generations = [keys];
    this.#password = password;
    this.linked = {
      network: 'test',
      version: '0',
      build: 1,
      software: '00'.repeat(16),
      table: '00'.repeat(32),
      generation: 1,
      networkKey: hex(keys.networkKey),
      serverModulus: hex(keys.serverModulus),
      pins: [],
    };
  }

  static async start(): Promise<MemoryDaemon> {
    return new MemoryDaemon(await newGeneration(), await passwordServer(await createOpaqueSetup()));
  }

  async ports(storage: ClientStorage, clock: Clock): Promise<ClientPorts> {
    const connect = (): Promise<Connection> => {
      if (this.down) return Promise.reject(new ConnectError('refused', 'down'));
      const [near, far] = [new MemoryConnection(), new MemoryConnection()];
      near.other = far;
      far.other = near;
      this.connections++;
      new Peer(this, far, this.#password, () => clock.elapsed());
      return Promise.resolve(near);
    };
    const server = { host: 'memory', port: 1 };
    return { linked: this.linked, server, connect, crypto: await clientCrypto(), storage, clock, log: () => undefined };
  }

  account(uid: Uint8Array): Account | undefined {
    return [...this.accounts.values()].find((one) => hex(one.uid) === hex(uid));
  }

  queue<S extends Struct>(uid: Uint8Array, struct: S, values: Values<S>): void {
    const entry: Queued = { id: nodeSync.random(16), struct, values: copied(values) };
    const key = hex(uid);
    this.queues.set(key, [...(this.queues.get(key) ?? []), entry]);
    this.peers.get(key)?.deliver(entry);
  }

  /** Entries that wait for their acknowledgement. */
  waiting(name: string): number {
    const account = this.accounts.get(name);
    return (account && this.queues.get(hex(account.uid))?.length) ?? 0;
  }

  /** Hands in something as an attacker's daemon would; resolves when the client acknowledged it. */
  inject<S extends Struct>(name: string, struct: S, values: Values<S>): Promise<void> {
    const uid = this.accounts.get(name)?.uid ?? new Uint8Array(16);
    return new Promise((resolve) => {
      this.queue(uid, struct, values);
      const entry = hex(this.queues.get(hex(uid))?.at(-1)?.id ?? uid);
      const before = this.onAck;
      this.onAck = (id) => {
        before(id);
        if (id === entry) resolve();
      };
    });
  }

  acknowledge(uid: Uint8Array, id: Uint8Array): void {
    const key = hex(uid);
    this.queues.set(
      key,
      (this.queues.get(key) ?? []).filter((entry) => hex(entry.id) !== hex(id)),
    );
    this.onAck(hex(id));
  }
}

function copied<S extends Struct>(values: Values<S>): Values<S> {
  return structuredClone(values);
}

class Peer {
  readonly #daemon: MemoryDaemon;
  readonly #connection: Connection;
  readonly #password: PasswordServer;
  #session: Session | undefined;
  #head: Uint8Array = new Uint8Array(0);
  #transcript = new LoginTranscript();
  #turn: Promise<void> = Promise.resolve();
  #account: Account | undefined;
  #made: Omit<Account, 'record' | 'words'> | undefined;
  #opaque = '';
  #s2 = nodeSync.random(32);
  #block: Uint8Array = new Uint8Array(256);
  #shared: Uint8Array | undefined;
  #openBlock: EpochKeys['open'] = () => Promise.resolve(undefined);
  readonly #elapsed: () => number;

  constructor(daemon: MemoryDaemon, connection: Connection, password: PasswordServer, elapsed: () => number) {
    this.#elapsed = elapsed;
    this.#daemon = daemon;
    this.#connection = connection;
    this.#password = password;
    connection.start({
      data: (chunk) => {
        this.#turn = this.#turn.then(() => this.#data(chunk));
      },
      drained: () => undefined,
      closed: () => {
        const uid = this.#account && hex(this.#account.uid);
        if (uid !== undefined && daemon.peers.get(uid) === this) daemon.peers.delete(uid);
      },
    });
  }

  get #ports() {
    return { sync: nodeSync, asymmetric: nodeAsymmetric };
  }

  async #data(chunk: Uint8Array): Promise<void> {
    if (this.#session) {
      const sound = this.#session.receive.push(chunk, (struct) => {
        const frame = struct.slice();
        this.#turn = this.#turn.then(() => this.#frame(frame));
        return true;
      });
      if (!sound) this.#connection.destroy();
      return;
    }
    this.#head = concat(this.#head, chunk);
    if (this.#head.length < FRAME) return;
    const opened = openHello(nodeSync, this.#daemon.generations, this.#connection.binding, this.#head);
    const admit = () => (this.#daemon.upgrade ? Code.upgrade : Code.done);
    const inner = opened && (await openInner(this.#ports, opened.keys.serverPrivate, opened, admit));
    const answer = inner && answerHello(nodeSync, opened, inner, { window: 4 }, Date.now());
    if (!answer) return this.#connection.destroy();
    this.#connection.write(answer.ack);
    this.#session = answer.session;
    this.#openBlock = (block) => {
      this.#daemon.turns++;
      return nodeAsymmetric.oaepOpen(opened.keys.serverPrivate, Label.epoch, block);
    };
    if (!answer.session) this.#connection.end();
  }

  #send<S extends Struct>(
    struct: S,
    opcode: number,
    step: number,
    frameId: Uint8Array,
    status: Status,
    code: Code,
    values: Values<S>,
  ): void {
    const bytes = encode(struct, { opcode, step, frameId, time: Date.now(), status, code }, values);
    if (opcode === structs.auth1.opcode || opcode === structs.pass.opcode) this.#transcript.add(bytes);
    this.#session?.send.add(bytes);
    if (this.#session) this.#connection.write(this.#session.send.take());
  }

  #answer(frame: Uint8Array, code: Code, wait = 0): void {
    const status = code === Code.done || code === Code.queued ? Status.valid : Status.error;
    this.#send(structs.answer, peekOpcode(frame), peekStep(frame), peekFrameId(frame), status, code, { wait });
  }

  event<S extends Struct>(struct: S, values: Values<S>, code: Code = Code.none): void {
    this.#send(struct, struct.opcode, 0, nodeSync.random(16), Status.valid, code, values);
  }

  deliver(entry: Queued): void {
    this.#send(entry.struct, entry.struct.opcode, 0, entry.id, Status.valid, Code.none, entry.values);
  }

  /** A frame that nobody sealed. */
  junk(): void {
    this.#connection.write(new Uint8Array(FRAME));
  }

  close(): void {
    this.#connection.destroy();
  }

  async #frame(frame: Uint8Array): Promise<void> {
    const read = <S extends Struct>(struct: S): Values<S> => {
      const decoded = decode(struct, frame);
      if (decoded.problem) throw new Error(`${struct.name}: ${decoded.problem}`);
      return decoded.values;
    };
    const daemon = this.#daemon;
    switch (commandStruct(peekOpcode(frame), peekStep(frame))?.name) {
      case 'crea1': {
        if (daemon.refusesAt === 'crea1') return this.#answer(frame, Code.malformed);
        const { name, enc, sig, opaque } = read(structs.crea1);
        if (daemon.accounts.has(name)) return this.#answer(frame, Code.conflict);
        const uid = nodeSync.random(16);
        this.#made = { uid, name, enc, sig };
        const response = await this.#password.registrationResponse(uid, opaque);
        const block = await nodeAsymmetric.oaepSeal(enc, Label.pop, nodeSync.random(32));
        if (!response) throw new Error('opaque');
        return this.#send(
          structs.crea1Answer,
          structs.crea1.opcode,
          1,
          peekFrameId(frame),
          Status.progress,
          Code.proceed,
          {
            uid,
            block,
            opaque: response,
          },
        );
      }
      case 'crea2': {
        if (daemon.refusesAt === 'crea2') return this.#answer(frame, Code.malformed);
        const { record, words } = read(structs.crea2);
        if (this.#made) daemon.accounts.set(this.#made.name, { ...this.#made, record, words });
        return this.#send(structs.answer, structs.crea2.opcode, 2, peekFrameId(frame), Status.finished, Code.done, {
          wait: 0,
        });
      }
      case 'auth1':
        return this.#auth1(frame, read(structs.auth1));
      case 'auth2': {
        this.#transcript.add(frame);
        this.#shared = await this.#password.loginFinish(this.#opaque, read(structs.auth2).ke3);
        const ok = this.#shared !== undefined;
        if (!ok) return this.#answer(frame, Code.authentication);
        const [opcode, id] = [structs.auth2.opcode, peekFrameId(frame)];
        return this.#send(structs.auth2Answer, opcode, 2, id, Status.progress, Code.words, { factor: 0 });
      }
      case 'pass':
        return this.#pass(frame, read(structs.pass));
      case 'ackd':
        for (const { id } of read(structs.ackd).ids) daemon.acknowledge(this.#uid, id);
        return;
      case 'jmpu': {
        const to = daemon.accounts.get(read(structs.jmpu).to);
        if (to) daemon.queue(to.uid, structs.rjmp, read(structs.jmpu));
        return this.#answer(frame, to ? Code.queued : Code.notFound);
      }
      case 'ampu':
        daemon.queue(read(structs.ampu).to, structs.ramp, read(structs.ampu));
        return this.#answer(frame, Code.done);
      case 'dmpu': {
        const { to, request } = read(structs.dmpu);
        daemon.queue(to, structs.rdmp, { from: this.#uid, name: this.#account?.name ?? '', request });
        return this.#answer(frame, Code.done);
      }
      case 'bloc':
        daemon.onBlock(read(structs.bloc).uid);
        return this.#answer(frame, Code.done);
      case 'smpu':
        return this.#smpu(frame, read(structs.smpu).envelope);
      case 'quit':
        return this.#connection.end();
      default:
        return this.#answer(frame, Code.malformed);
    }
  }

  get #uid(): Uint8Array {
    if (!this.#account) throw new Error('not logged in');
    return this.#account.uid;
  }

  async #auth1(frame: Uint8Array, values: Values<(typeof structs)['auth1']>): Promise<void> {
    this.#transcript = new LoginTranscript();
    this.#transcript.add(frame);
    this.#account = this.#daemon.accounts.get(values.name);
    if (!this.#account)
      return this.#send(
        structs.answer,
        structs.auth1.opcode,
        1,
        peekFrameId(frame),
        Status.error,
        Code.authentication,
        { wait: 0 },
      );
    const response = await this.#password.loginResponse(this.#account.uid, this.#account.record, values.ke1);
    this.#block = await nodeAsymmetric.oaepSeal(this.#account.enc, Label.s2, this.#s2);
    this.#opaque = response?.state ?? '';
    this.#send(structs.auth1Answer, structs.auth1.opcode, 1, peekFrameId(frame), Status.progress, Code.proceed, {
      block: this.#block,
      ke2: response?.ke2 ?? new Uint8Array(320),
    });
  }

  #pass(frame: Uint8Array, values: Values<(typeof structs)['pass']>): void {
    this.#transcript.add(frame);
    const session = this.#session;
    const proven = hex(nodeSync.sha256(values.words)) === hex(this.#account?.words ?? new Uint8Array(0));
    if (!session || !this.#shared || !proven)
      return this.#send(structs.answer, structs.pass.opcode, 0, peekFrameId(frame), Status.error, Code.authentication, {
        wait: 0,
      });
    this.#send(structs.passAnswer, structs.pass.opcode, 0, peekFrameId(frame), Status.finished, Code.done, {
      grant: nodeSync.random(32),
      ends: Date.now() + this.#daemon.sessionMs,
    });
    const th3 = this.#transcript.hash(nodeSync, session.th2);
    const keys = { theirs: this.#account?.enc ?? new Uint8Array(256), open: this.#openBlock };
    const refused = (): void => {
      this.#connection.destroy();
    };
    const host = { elapsed: this.#elapsed, hold: () => undefined, refused };
    session.authenticated(concat(this.#s2, this.#shared), th3, this.#block, { keys, host });
    const uid = hex(this.#uid);
    this.#daemon.peers.get(uid)?.event(structs.clos, {}, Code.conflict);
    this.#daemon.peers.set(uid, this);
    const waiting = this.#daemon.queues.get(uid) ?? [];
    this.event(structs.cnnt, { uid: this.#uid, name: this.#account?.name ?? '', queued: waiting.length });
    for (const entry of waiting) this.deliver(entry);
    this.event(structs.drnd, { delivered: waiting.length });
  }

  #smpu(frame: Uint8Array, envelope: Uint8Array): void {
    const daemon = this.#daemon;
    daemon.envelopes.push(envelope.slice());
    const treatment = daemon.treat(envelope);
    if (treatment === 'close') return this.#connection.destroy();
    if (treatment === 'silence') return;
    if (treatment === Code.queued || treatment === Code.done) {
      daemon.queue(envelopeRecipient(envelope).slice(), structs.rvum, { envelope });
      const [from, message, to] = [envelopeSender(envelope), peekFrameId(frame), envelopeRecipient(envelope)].map(
        (one) => one.slice(),
      );
      const last = daemon.queues.get(hex(to ?? new Uint8Array(0)))?.at(-1);
      const before = daemon.onAck;
      daemon.onAck = (id) => {
        before(id);
        if (last && id === hex(last.id) && from && message && to)
          daemon.queue(from, structs.dlvd, { message, recipient: to, at: Date.now() });
      };
    }
    this.#answer(frame, treatment, treatment === Code.limited ? daemon.wait : 0);
  }
}
