/** A client that does what it draws, and says of each struct beforehand what SPEC 3.5, 6 and 7 make of it. */
import {
  concat,
  hex,
  isZero,
  keysMessage,
  Label,
  loginMessage,
  LoginTranscript,
  possession,
  Status,
  STRUCT,
  structs,
  wordsProof,
  type PasswordClient,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import type { Draws } from '../support/draws.js';
import { must, Wrong } from '../support/fuzz.js';
import { encodeCommand, type RawConnection, type Received } from '../support/raw.js';
import { commandLine, headOf, judge, type State } from './daemon-model.js';
import type { FuzzedDaemon } from './daemon-server.js';
import { readBySpec, type Line } from './spec-codec.js';
import { damage, drawName, drawStruct, lineOf, noise } from './struct-draws.js';

/** An answer that takes longer does not come, in ms. */
const PATIENCE_MS = 5_000;

/** What a struct must get: one answer, none, or the end of the connection. */
type Due =
  | { readonly code: number; readonly next?: State; readonly learn?: (answer: Received) => Promise<void> }
  | 'nothing'
  | 'end';

type Row = Readonly<Record<string, unknown>>;

interface Person {
  readonly name: string;
  uid: Uint8Array;
}

interface Registration {
  readonly state: string;
  readonly request: Uint8Array;
  /** the fields of a `crea2` that is accepted, once the first answer has come */
  proof?: Uint8Array;
  uid?: Uint8Array;
  exportKey?: Uint8Array;
}

interface Login {
  readonly begun: ReturnType<PasswordClient['loginStart']>;
  readonly typed: string;
  /** its key's signature over this connection, for its name */
  readonly signed: boolean;
  /** the same, and there is such an account */
  real: boolean;
  readonly transcript: LoginTranscript;
  ke3?: Uint8Array;
  sessionKey?: Uint8Array;
  block?: Uint8Array;
  s2?: Uint8Array;
}

let people = 0;

export class Play {
  readonly #daemon: FuzzedDaemon;
  readonly #draws: Draws;
  readonly #passwords: PasswordClient;
  readonly #me: Person = { name: `me${String(people)}`, uid: new Uint8Array(16) };
  readonly #partner: Person = { name: `you${String(people++)}`, uid: nodeSync.random(16) };
  readonly #password = 'correct horse';
  readonly #w = nodeSync.random(32);
  #words = new Uint8Array(0) as Uint8Array;
  #registered = false;
  #partnerAsked = false;
  #mine: 'none' | 'open' | 'declined' | 'blocked' = 'none';
  /** Commands that are done once for a frame id, as they were sent and answered. */
  readonly #done = new Map<string, { readonly bytes: Uint8Array; readonly code: number }>();
  #grant = new Uint8Array(0) as Uint8Array;

  #raw: RawConnection | undefined;
  #state: State = 'closed';
  #tried = 0;
  #registration: Registration | undefined;
  /** Registrations begun on this connection whose first answer is to come, by their request. */
  #requests = new Map<string, Registration>();
  #logins = new Map<string, Login>();
  #login: Login | undefined;
  #answers: Received[] = [];
  #wake: () => void = () => undefined;

  constructor(daemon: FuzzedDaemon, draws: Draws, passwords: PasswordClient) {
    this.#daemon = daemon;
    this.#draws = draws;
    this.#passwords = passwords;
  }

  get #connection(): RawConnection {
    if (!this.#raw) throw new Error('not connected');
    return this.#raw;
  }

  async run(turns: number, connections: number): Promise<void> {
    const { enc, sig } = this.#keys;
    const { name, uid } = this.#partner;
    const rest = { record: nodeSync.random(192), words: nodeSync.random(32), created: Date.now() };
    await this.#daemon.store.createAccount({ name, uid, enc, sig, ...rest });
    let left = connections;
    for (let turn = 0; turn < turns; turn++) {
      if (this.#state === 'closed') {
        if (left-- === 0) return;
        await this.#connect();
      }
      if (this.#draws.chance(0.03)) this.#leave();
      else await this.#turn();
      must(this.#daemon.troubles.length === 0, () => `the daemon is in trouble: ${String(this.#daemon.troubles[0])}`);
    }
    if (this.#state !== 'closed') {
      if (this.#state !== 'proving' && this.#state !== 'words') await this.#exchange([this.#unknown()]);
      this.#leave();
    }
  }

  get #keys(): { readonly enc: Uint8Array; readonly sig: Uint8Array } {
    const { senderEnc, senderSig } = this.#daemon.keys;
    return { enc: senderEnc.modulus, sig: senderSig.modulus };
  }

  // ---- the connection

  async #connect(): Promise<void> {
    if (this.#draws.chance(0.1)) await this.#stranger();
    const raw = this.#daemon.connect();
    this.#raw = raw;
    this.#answers = [];
    raw.onStruct = (bytes, received) => {
      this.#received(bytes, received);
    };
    void raw.closed.then(() => {
      this.#wake();
    });
    must((await this.#patiently(raw.handshake(this.#daemon.linked), 'an ACK'))?.session !== undefined, 'no session');
    this.#state = 'open';
    this.#tried = 0;
    this.#registration = undefined;
    this.#login = undefined;
    this.#requests.clear();
    this.#logins.clear();
  }

  /** Nothing that is no HELLO gets a byte. */
  async #stranger(): Promise<void> {
    const raw = this.#daemon.connect();
    const kind = this.#draws.below(4);
    if (kind === 0) raw.connection.write(noise(this.#draws, 2048));
    else {
      const late = kind === 1 ? { now: Date.now() - 130_000 } : {};
      const hello = (bytes: Uint8Array): Uint8Array =>
        kind === 2
          ? concat(bytes, noise(this.#draws, 1))
          : kind === 3
            ? bytes.map((byte, at) => (at === 1500 ? byte ^ 1 : byte))
            : bytes;
      void raw.handshake(this.#daemon.linked, { ...late, hello });
    }
    await this.#patiently(raw.closed, 'the end of a stranger');
    must(raw.bytesReceived === 0, 'a stranger got bytes');
  }

  #leave(): void {
    this.#connection.close();
    this.#state = 'closed';
  }

  async #patiently<T>(promise: Promise<T>, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Wrong(`${what} does not come`));
      }, PATIENCE_MS);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #received(bytes: Uint8Array, received: Received): void {
    const { opcode, header, values } = received;
    if (opcode === structs.pass.opcode && header.code === 200) this.#switch(bytes);
    if (opcode === structs.ansr.opcode && header.status !== Status.error) {
      for (const row of (values as Values<typeof structs.ansr>).answers) {
        const own = { ...header, ...row, frameId: row.frame } as Received['header'];
        this.#answers.push({
          opcode: row.opcode,
          step: row.step,
          frameId: row.frame,
          header: own,
          values: { wait: 0 },
          bytes,
        });
      }
    } else this.#answers.push(received);
    this.#wake();
  }

  /** The answer that finishes a login is the last frame under the old key. */
  #switch(answer: Uint8Array): void {
    const login = this.#login;
    if (!login?.s2 || !login.sessionKey || !login.block) throw new Wrong('a login was finished that was not proven');
    login.transcript.add(answer);
    const secret = concat(login.s2, login.sessionKey);
    const th3 = login.transcript.hash(nodeSync, this.#connection.session.th2);
    this.#connection.authenticated(secret, th3, login.block, this.#daemon.keys.senderEnc);
  }

  // ---- one turn

  async #turn(): Promise<void> {
    const done = [...this.#done.values()];
    if (this.#state === 'ready' && done.length > 0 && this.#draws.chance(0.25)) {
      await this.#exchange([this.#draws.pick(done).bytes]);
      await this.#exchange([this.#letter(this.#partner.uid)]); // what it must not have changed
      return;
    }
    const many = this.#draws.chance(0.15) ? 2 + this.#draws.below(3) : 1;
    const frames: Uint8Array[] = [];
    for (let n = 0; n < many; n++) frames.push(await this.#frame());
    await this.#exchange(frames);
  }

  async #frame(): Promise<Uint8Array> {
    const draw = this.#draws.below(20);
    if (draw < 12) return this.#sensible();
    if (draw < 17) return this.#misplaced();
    if (draw < 19) return this.#malformed(await this.#sensible());
    return this.#malformed(this.#misplaced());
  }

  /** Sends all of these at once, then waits for all that is due to them. */
  async #exchange(frames: readonly Uint8Array[]): Promise<void> {
    const raw = this.#connection;
    const before = raw.bytesReceived;
    const dues: { readonly due: Due; readonly bytes: Uint8Array }[] = [];
    let ends = false;
    for (const bytes of frames) {
      const due = ends ? 'nothing' : this.#due(bytes, dues.length < frames.length - 1);
      dues.push({ due, bytes });
      if (due === 'end') ends = true;
      else if (due !== 'nothing') this.#state = due.next ?? this.#state;
    }
    for (const bytes of frames) raw.session.send.add(bytes);
    raw.connection.write(raw.session.send.take());
    if (ends) {
      await this.#patiently(raw.closed, `the end, after ${namesOf(frames)}`);
      /* Of what came before in the same write the answers may be lost. */
      must(frames.length > 1 || raw.bytesReceived === before, () => `bytes before the end, after ${namesOf(frames)}`);
      this.#state = 'closed';
      return;
    }
    for (const { due, bytes } of dues) if (due !== 'nothing' && due !== 'end') await this.#settled(bytes, due);
    for (const { opcode, header } of this.#answers)
      must(opcode < 100_000 && header.status !== Status.error, () => `an answer too many, to ${namesOf(frames)}`);
  }

  async #settled(bytes: Uint8Array, due: Exclude<Due, string>): Promise<void> {
    const { opcode, step, id } = headOf(bytes);
    const what = `${nameOf(bytes)} in ${this.#state}`;
    const found = await this.#patiently(this.#answerTo(id, what), `the answer to ${what}`);
    const { header } = found;
    must(header.code === due.code, () => `${what} gets ${String(header.code)}, SPEC says ${String(due.code)}`);
    must(found.opcode === opcode && found.step === step, () => `${what}: opcode and step of the answer`);
    const several = header.code === 200 && ['crea', 'pass'].includes(nameOf(bytes).slice(0, 4));
    const status = header.code >= 400 ? 2 : header.code < 200 ? 1 : several ? 3 : 0;
    must(header.status === status, () => `${what} gets the status ${String(header.status)}`);
    await due.learn?.(found);
  }

  async #answerTo(id: string, what: string): Promise<Received> {
    for (;;) {
      const at = this.#answers.findIndex((answer) => hex(answer.frameId) === id);
      const [found] = at < 0 ? [] : this.#answers.splice(at, 1);
      if (found) return found;
      must(!this.#connection.isClosed, `the connection ends instead of an answer to ${what}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async #event(struct: Struct): Promise<Row> {
    for (;;) {
      const at = this.#answers.findIndex(
        ({ opcode, header }) => opcode === struct.opcode && header.status === Status.valid,
      );
      const [found] = at < 0 ? [] : this.#answers.splice(at, 1);
      if (found) return found.values;
      must(!this.#connection.isClosed, `the connection ends instead of ${struct.name}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  // ---- what it sends

  #command<S extends Struct>(struct: S, values: Values<S>): Uint8Array {
    return encodeCommand(struct, values, noise(this.#draws, 16));
  }

  /** An opcode that nobody has. */
  #unknown(): Uint8Array {
    const bytes = this.#command(structs.quit, {});
    bytes.set([0, 1, this.#draws.below(256), 200], 2);
    return bytes;
  }

  #misplaced(): Uint8Array {
    if (this.#draws.chance(0.15)) return this.#unknown();
    const struct = this.#draws.pick(Object.values(structs));
    const bytes = new Uint8Array(STRUCT);
    bytes.set(drawStruct(this.#draws, struct).subarray(0, STRUCT));
    /* A name is nobody's and a group element none by chance. */
    if (struct === structs.crea1) bytes.fill(0xff, 574, 606);
    if (struct === structs.auth1) bytes.fill(0xff, 318, 414);
    return bytes;
  }

  /** Fails 3.5. */
  #malformed(sound: Uint8Array): Uint8Array {
    const own = commandLine(sound) ?? lineOf(structs.bloc);
    for (let tries = 0; tries < 20; tries++) {
      const bytes = damage(this.#draws, own, sound);
      if (bytes.length === STRUCT && readBySpec(own, bytes).step !== undefined) return bytes;
    }
    return sound;
  }

  async #sensible(): Promise<Uint8Array> {
    switch (this.#state) {
      case 'open':
        return this.#draws.chance(this.#registered ? 0.1 : 0.8) ? this.#crea1() : this.#auth1();
      case 'registering':
        return this.#draws.pick([
          () => this.#crea2(),
          () => this.#crea2(),
          () => this.#crea2(),
          () => this.#crea1(),
          () => this.#auth1(),
        ])();
      case 'proving': {
        const ke3 = this.#draws.chance(0.85) ? this.#login?.ke3 : undefined;
        return this.#command(structs.auth2, { ke3: ke3 ?? noise(this.#draws, 64) });
      }
      case 'words':
        return this.#pass();
      default:
        return this.#conversation();
    }
  }

  #crea1(): Uint8Array {
    const { state, request } = this.#passwords.registrationStart(this.#password);
    this.#requests.set(hex(request), { state, request });
    const { enc, sig } = this.#keys;
    const name = this.#draws.chance(0.85) ? this.#me.name : this.#partner.name;
    switch (this.#draws.below(10)) {
      case 0:
        return this.#command(structs.crea1, { name, enc, sig: enc, opaque: request });
      case 1:
        return this.#command(structs.crea1, {
          name,
          enc: enc.map((byte, at) => (at === 255 ? byte & 0xfe : byte)),
          sig,
          opaque: request,
        });
      case 2:
        return this.#command(structs.crea1, { name, enc, sig, opaque: new Uint8Array(32).fill(0xff) });
      default:
        return this.#command(structs.crea1, { name, enc, sig, opaque: request });
    }
  }

  #crea2(): Uint8Array {
    const proof = this.#registration?.proof ?? noise(this.#draws, 512);
    const fields = this.#draws.chance(0.8)
      ? proof
      : damage(this.#draws, lineOf(structs.quit), concat(new Uint8Array(30), proof)).subarray(30);
    const whole = fields.length === 512 ? fields : noise(this.#draws, 512);
    const [mac, signature, record, words] = [
      whole.subarray(0, 32),
      whole.subarray(32, 288),
      whole.subarray(288, 480),
      whole.subarray(480),
    ];
    return this.#command(structs.crea2, { mac, signature, record, words });
  }

  async #auth1(): Promise<Uint8Array> {
    const typed = this.#draws.chance(0.9) ? this.#password : 'another';
    const begun = this.#passwords.loginStart(typed);
    const name = this.#draws.chance(0.9) ? this.#me.name : drawName(this.#draws);
    const signed = this.#draws.chance(0.9);
    const message = loginMessage(this.#connection.session.th2, name, begun.ke1);
    const signature = signed
      ? await nodeAsymmetric.pssSign(this.#daemon.keys.senderSig, Label.login, message)
      : noise(this.#draws, 256);
    const ke1 = this.#draws.chance(0.9) ? begun.ke1 : new Uint8Array(96).fill(0xff);
    const bytes = this.#command(structs.auth1, { name, signature, ke1 });
    const transcript = new LoginTranscript();
    transcript.add(bytes);
    const own = signed && name === this.#me.name;
    if (ke1 === begun.ke1) this.#logins.set(hex(ke1), { begun, typed, signed: own, real: false, transcript });
    return bytes;
  }

  #pass(): Uint8Array {
    const words = this.#draws.chance(0.8) ? this.#words : noise(this.#draws, 32);
    const [factor, code] = this.#draws.pick([
      [0, new Uint8Array(0)],
      [0, new Uint8Array(0)],
      [3, this.#grant.length === 32 ? this.#grant : noise(this.#draws, 32)],
      [3, noise(this.#draws, 32)],
      [1 + this.#draws.below(2), noise(this.#draws, 6)],
    ] as const);
    return this.#command(structs.pass, { words, factor, code });
  }

  #letter(to: Uint8Array, from = this.#me.uid): Uint8Array {
    const envelope = noise(this.#draws, 1736);
    envelope.set(from, 34);
    envelope.set(to, 50);
    return this.#command(structs.smpu, { envelope });
  }

  #conversation(): Uint8Array {
    const draws = this.#draws;
    const { uid, name } = this.#me;
    const bundle = { uid, name, ...this.#keys, time: Date.now(), suite: 1, signature: noise(draws, 256) };
    const changed = draws.chance(0.15)
      ? draws.pick([{ uid: noise(draws, 16) }, { name: 'other' }, { enc: noise(draws, 256) }])
      : {};
    const to = draws.pick([this.#partner.uid, this.#partner.uid, this.#partner.uid, noise(draws, 16)]);
    const known = draws.pick([this.#partner.name, this.#partner.name, this.#partner.name, name, drawName(draws)]);
    return draws.pick([
      () => this.#command(structs.jmpu, { to: known, ...bundle, ...changed }),
      () => this.#command(structs.ampu, { to, request: noise(draws, 32), ...bundle, ...changed }),
      () => this.#command(structs.dmpu, { to, request: noise(draws, 32) }),
      () => this.#command(structs.bloc, { uid: to }),
      () => this.#command(structs.keyq, { name: known }),
      () => this.#letter(to, draws.chance(0.8) ? uid : to),
      () => this.#letter(to),
      () =>
        this.#command(structs.ackd, { ids: Array.from({ length: draws.below(65) }, () => ({ id: noise(draws, 16) })) }),
      () => (draws.chance(0.2) ? this.#command(structs.quit, {}) : this.#letter(this.#partner.uid)),
    ])();
  }

  // ---- what is due

  /** @param behind more was sent before its answer */
  #due(bytes: Uint8Array, behind: boolean): Due {
    const verdict = judge(this.#state, bytes);
    if (verdict.is === 'close') return 'end';
    if (verdict.is === 'answer') return { code: verdict.code, next: verdict.next };
    const { values } = verdict;
    switch (verdict.line.name) {
      case 'crea1':
        return this.#dueCrea1(values);
      case 'crea2':
        return this.#dueCrea2(bytes);
      case 'auth1':
      case 'auth2':
      case 'pass': {
        const due = this.#dueLogin(verdict.line, values, bytes);
        return behind ? 'end' : due; // any frame that is sent before the answer to the last one
      }
      case 'quit':
        return 'end';
      case 'ackd':
        return 'nothing';
      default:
        return this.#dueReady(verdict.line.name, values, bytes);
    }
  }

  #dueCrea1(values: Row): Due {
    const { name, enc, sig, opaque } = values as Values<typeof structs.crea1>;
    this.#registration = undefined;
    const sound = (modulus: Uint8Array): boolean => {
      const n = BigInt(`0x${hex(modulus)}`);
      const small = Array.from({ length: 98 }, (_, i) => BigInt(i + 2));
      return n >> 2047n === 1n && small.every((divisor) => n % divisor !== 0n);
    };
    if (!sound(enc) || !sound(sig) || hex(enc) === hex(sig)) return { code: 400, next: 'open' };
    if (name === this.#partner.name || (name === this.#me.name && this.#registered)) return { code: 409, next: 'open' };
    const begun = this.#requests.get(hex(opaque));
    if (!begun) return { code: 400, next: 'open' };
    this.#registration = begun;
    return { code: 101, next: 'registering', learn: (answer) => this.#learnCrea1(begun, answer) };
  }

  async #learnCrea1(begun: Registration, { values }: Received): Promise<void> {
    const { uid, block, opaque } = values as Values<typeof structs.crea1Answer>;
    const p = await nodeAsymmetric.oaepOpen(this.#daemon.keys.senderEnc, Label.pop, block);
    const done = this.#passwords.registrationFinish(this.#password, begun.state, opaque);
    if (!p || !done) throw new Wrong('the answer to crea1 does not open');
    const { th2 } = this.#connection.session;
    const message = keysMessage(th2, this.#me.name, this.#keys.enc, this.#keys.sig);
    begun.uid = uid.slice();
    begun.exportKey = done.exportKey;
    begun.proof = concat(
      possession(nodeSync, p, th2, done.record),
      await nodeAsymmetric.pssSign(this.#daemon.keys.senderSig, Label.keys, message),
      done.record,
      nodeSync.sha256(wordsProof(nodeSync, done.exportKey, this.#w)),
    );
  }

  #dueCrea2(bytes: Uint8Array): Due {
    const begun = this.#registration;
    this.#registration = undefined;
    const proven =
      begun?.proof !== undefined && hex(bytes.subarray(30, 30 + 480)) === hex(begun.proof.subarray(0, 480));
    if (!proven || !begun.uid || !begun.exportKey) return { code: 401, next: 'open' };
    this.#registered = true;
    this.#me.uid = Uint8Array.from(begun.uid);
    const words = wordsProof(nodeSync, begun.exportKey, this.#w);
    /* H of the words proof is taken as it is sent: another one means words that nobody knows. */
    this.#words = hex(bytes.subarray(510, 542)) === hex(nodeSync.sha256(words)) ? words : noise(this.#draws, 32);
    this.#wordsHash = hex(bytes.subarray(510, 542));
    return {
      code: 200,
      next: 'open',
      learn: async () => {
        this.#partnerAsked = this.#draws.chance(0.7);
        if (this.#partnerAsked) await this.#daemon.store.setConsent(this.#partner.uid, this.#me.uid, 'open');
      },
    };
  }
  #wordsHash = '';

  #dueLogin({ name }: Line, values: Row, bytes: Uint8Array): Due {
    if (name === 'auth1') return this.#dueAuth1(values as Values<typeof structs.auth1>);
    const login = this.#login;
    if (!login) throw new Error('no login is under way');
    if (name === 'auth2') {
      const { ke3 } = values as Values<typeof structs.auth2>;
      if (!login.real || !login.ke3 || hex(ke3) !== hex(login.ke3)) return { code: 401, next: 'open' };
      login.transcript.add(bytes);
      return {
        code: 102,
        next: 'words',
        learn: (answer) => {
          login.transcript.add(answer.bytes);
          return Promise.resolve();
        },
      };
    }
    const { factor, words } = values as Values<typeof structs.pass>;
    if (factor === 1 || factor === 2) return { code: 400, next: 'open' };
    login.transcript.add(bytes);
    if (hex(nodeSync.sha256(words)) !== this.#wordsHash) return { code: 401, next: 'open' };
    return { code: 200, next: 'ready', learn: (answer) => this.#learnPass(answer) };
  }

  #dueAuth1({ ke1 }: Values<typeof structs.auth1>): Due {
    this.#registration = undefined;
    if (++this.#tried > 3) return 'end';
    const login = this.#logins.get(hex(ke1));
    if (!login) return { code: 400, next: 'open' };
    login.real = login.signed && this.#registered;
    this.#login = login;
    return {
      code: 101,
      next: 'proving',
      learn: async ({ values, bytes }) => {
        const { block, ke2 } = values as Values<typeof structs.auth1Answer>;
        login.transcript.add(bytes);
        login.block = block.slice();
        const done = this.#passwords.loginFinish(login.typed, login.begun.state, ke2);
        const opens = login.real && login.typed === this.#password;
        must((done !== undefined) === opens, opens ? 'KE2 does not open' : 'KE2 opens for a stranger');
        const s2 = await nodeAsymmetric.oaepOpen(this.#daemon.keys.senderEnc, Label.s2, block);
        must((s2 !== undefined) === login.real, login.real ? 'B2 does not open' : 'B2 opens for a stranger');
        if (!done || !s2) return;
        login.ke3 = done.ke3;
        login.sessionKey = done.sessionKey;
        login.s2 = s2;
      },
    };
  }

  async #learnPass({ values }: Received): Promise<void> {
    const { grant, ends } = values as Values<typeof structs.passAnswer>;
    must(ends > Date.now() && ends <= Date.now() + 12 * 3600_000, 'the end of the session');
    this.#grant = Uint8Array.from(grant);
    const cnnt = await this.#patiently(this.#event(structs.cnnt), 'cnnt');
    const { uid, name, queued } = cnnt as Values<typeof structs.cnnt>;
    must(hex(uid) === hex(this.#me.uid) && name === this.#me.name && queued === 0, 'cnnt');
    const drnd = await this.#patiently(this.#event(structs.drnd), 'drnd');
    must((drnd as Values<typeof structs.drnd>).delivered === 0, 'drnd');
  }

  #dueReady(name: string, values: Row, bytes: Uint8Array): Due {
    if (repeatable.has(name)) return { code: this.#codeOf(name, values) };
    const { id } = headOf(bytes);
    const code = this.#done.get(id)?.code ?? this.#codeOf(name, values);
    return {
      code,
      learn: () => {
        this.#done.set(id, { bytes, code });
        return Promise.resolve();
      },
    };
  }

  #codeOf(name: string, values: Row): number {
    const me = { ...this.#me, ...this.#keys };
    const hasOwn = ({ uid, name: own, enc, sig }: Values<typeof structs.jmpu> | Values<typeof structs.ampu>): boolean =>
      hex(uid) === hex(me.uid) && own === me.name && hex(enc) === hex(me.enc) && hex(sig) === hex(me.sig);
    const isPartner = (uid: Uint8Array): boolean => hex(uid) === hex(this.#partner.uid);
    switch (name) {
      case 'jmpu': {
        const request = values as Values<typeof structs.jmpu>;
        if (!hasOwn(request)) return 403;
        if (request.to === me.name) return 409;
        if (request.to !== this.#partner.name) return 404;
        this.#mine = 'open';
        return 202;
      }
      case 'ampu': {
        const acceptance = values as Values<typeof structs.ampu>;
        if (!hasOwn(acceptance)) return 403;
        if (!isPartner(acceptance.to) || !this.#partnerAsked) return 404;
        this.#mine = 'open';
        return 202;
      }
      case 'dmpu':
        if (!isPartner((values as Values<typeof structs.dmpu>).to) || !this.#partnerAsked) return 404;
        this.#mine = 'declined';
        return 202;
      case 'bloc':
        if (!isPartner((values as Values<typeof structs.bloc>).uid)) return 404;
        this.#mine = 'blocked';
        return 200;
      case 'keyq':
        return [me.name, this.#partner.name].includes((values as Values<typeof structs.keyq>).name) ? 200 : 404;
      case 'jrms1':
        return 200; // a decoy
      case 'jrms2':
        return 401;
      case 'jrms3':
        return isZero((values as Values<typeof structs.jrms3>).auth) ? 403 : 401;
      case 'smpu': {
        const { envelope } = values as Values<typeof structs.smpu>;
        const own = hex(envelope.subarray(34, 50)) === hex(me.uid);
        const open = isPartner(envelope.subarray(50, 66)) && this.#partnerAsked && this.#mine === 'open';
        return own && open ? 202 : 403;
      }
      default:
        return 403; // of rooms: there is none, and nobody draws the head of one
    }
  }
}

/** Not answered as before when they come again (SPEC 8.3). */
const repeatable: ReadonlySet<string> = new Set(['smpu', 'keyq', 'jrms1', 'jrms2', 'srms', 'rtrm1', 'strm', 'mbrm']);

function nameOf(bytes: Uint8Array): string {
  const { opcode, step } = headOf(bytes);
  const struct = Object.values(structs).find((one: Struct) => one.opcode === opcode && one.step === step);
  return struct?.name ?? `${String(opcode)}/${String(step)}`;
}

const namesOf = (frames: readonly Uint8Array[]): string => frames.map(nameOf).join(', ');
