/** A client that does what it draws, and says of each struct beforehand what SPEC 3.5, 6 and 7 make of it. */
import { setImmediate as soon } from 'node:timers/promises';
import {
  concat,
  hex,
  isZero,
  keysMessage,
  Label,
  loginMessage,
  LoginTranscript,
  possession,
  recoveryMac,
  renewalMac,
  signFormer,
  signKeyBundle,
  Status,
  STRUCT,
  structs,
  wordsProof,
  type PasswordClient,
  utf8,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import type { Draws } from '../support/draws.js';
import { must, Wrong } from '../support/fuzz.js';
import { encodeCommand, type RawConnection, type Received } from '../support/raw.js';
import { commandLine, headOf, judge, type State } from './daemon-model.js';
import type { FuzzedDaemon } from './daemon-server.js';
import { readBySpec, type Line } from './spec-codec.js';
import { areSound } from './spec-keys.js';
import { damage, drawName, drawStruct, lineOf, noise } from './struct-draws.js';
import { noSecurity, SecondFactor } from '../../src/store/store.js';
import { withSecurity } from '../../src/server/factors.js';
import { idKey } from '../../src/server/keys.js';
import { uninvited, untold } from '../support/registration.js';
import { nextRsa } from '../support/rsa-pairs.js';

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
  /** wrong codes so far, and H of the words, where a code by mail is due */
  due?: { tries: number; readonly wordsHash: string };
  readonly state: string;
  readonly request: Uint8Array;
  /** the fields of a `crea2` that is accepted, once the first answer has come */
  proof?: Uint8Array;
  uid?: Uint8Array;
  exportKey?: Uint8Array;
}

/** What `pswd1` was answered with, as far as `pswd2` needs it. */
interface Renewal {
  readonly record: Uint8Array;
  readonly words: Uint8Array;
}

interface Login {
  readonly begun: ReturnType<PasswordClient['loginStart']>;
  readonly typed: string;
  /** whose signature it has, over this connection and for its own name */
  readonly signer: OwnKeys | undefined;
  /** it has that of the account's present keys */
  real: boolean;
  readonly transcript: LoginTranscript;
  ke3?: Uint8Array;
  sessionKey?: Uint8Array;
  block?: Uint8Array;
  s2?: Uint8Array;
}

interface Recovery {
  readonly begun: ReturnType<PasswordClient['loginStart']>;
  readonly typed: string;
  readonly code: Uint8Array;
  readonly name: string;
  /** the code is one of the account's own */
  real: boolean;
  /** the fields of an `rcov2` that is accepted */
  proof?: Values<typeof structs.rcov2>;
  words?: Uint8Array;
}

const rsa = { sync: nodeSync, asymmetric: nodeAsymmetric };

let people = 0;

interface OwnKeys {
  readonly enc: NodeRsaPrivate;
  readonly sig: NodeRsaPrivate;
}
/** Those of plays that ended; plays side by side have keys of their own. */
const free: OwnKeys[] = [];

export class Play {
  readonly #daemon: FuzzedDaemon;
  readonly #draws: Draws;
  readonly #passwords: PasswordClient;
  readonly #me: Person = { name: `me${String(people)}`, uid: new Uint8Array(16) };
  readonly #partner: Person = { name: `you${String(people++)}`, uid: nodeSync.random(16) };
  readonly #password = 'correct horse';
  readonly #w = nodeSync.random(32);
  #ownKeys: OwnKeys | undefined;
  /** that may take their place */
  #nextKeys: OwnKeys | undefined;
  #words = new Uint8Array(0) as Uint8Array;
  #registered = false;
  #partnerAsked = false;
  #mine: 'none' | 'open' | 'declined' | 'blocked' = 'none';
  /** Commands that are done once for a frame id, as they were sent and answered. */
  readonly #done = new Map<string, { readonly bytes: Uint8Array; readonly code: number }>();
  #grant = new Uint8Array(0) as Uint8Array;
  #grantRuns = false;
  /** The account asks for a code by mail. */
  #byMail = false;
  /** The code that came by mail for a login and counts, and how many others were tried. */
  #code: { readonly digits: string; tries: number } | undefined;
  /** `pswd1` was answered on this connection, and `pswd2` is due. */
  #passwordDue = false;
  #registeredAnew: Renewal | undefined;
  /** recovery codes that were not used */
  #codes: Uint8Array[] = [];
  #recovery: Recovery | undefined;
  readonly #recoveries = new Map<string, Recovery>();
  /** what `rkey1` sealed: the fields of an `rkey2` that is accepted follow from it */
  #renewal: { p?: Uint8Array } | undefined;

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
    this.#ownKeys = free.pop() ?? { enc: await nextRsa(), sig: await nextRsa() };
    this.#nextKeys = free.pop() ?? { enc: await nextRsa(), sig: await nextRsa() };
    const { recipientEnc, recipientSig } = this.#daemon.keys;
    const { name, uid } = this.#partner;
    const rest = {
      enc: recipientEnc.modulus,
      sig: recipientSig.modulus,
      record: nodeSync.random(192),
      words: nodeSync.random(32),
      created: Date.now(),
      security: noSecurity,
    };
    await this.#daemon.store.createAccount({ name, uid, ...rest });
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
      if (!['proving', 'words', 'recovering'].includes(this.#state)) await this.#exchange([this.#unknown()]);
      this.#leave();
    }
    if (this.#registered) await this.#daemon.context.knownKeys.release(this.#keys);
    free.push(this.#own, this.#next);
  }

  get #own(): OwnKeys {
    if (!this.#ownKeys) throw new Error('no keys yet');
    return this.#ownKeys;
  }

  get #next(): OwnKeys {
    if (!this.#nextKeys) throw new Error('no other keys yet');
    return this.#nextKeys;
  }

  /** The others are the account's from now on. */
  #exchangeKeys(): void {
    [this.#ownKeys, this.#nextKeys] = [this.#next, this.#own];
  }

  get #keys(): { readonly enc: Uint8Array; readonly sig: Uint8Array } {
    return { enc: this.#own.enc.modulus, sig: this.#own.sig.modulus };
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
    this.#mistypes = 0;
    this.#registration = undefined;
    this.#login = undefined;
    this.#requests.clear();
    this.#logins.clear();
    this.#passwordDue = false;
    this.#recovery = undefined;
    this.#recoveries.clear();
    this.#renewal = undefined;
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
    this.#connection.authenticated(secret, th3, login.block, this.#own.enc);
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
    /* Answered, and then ended: nothing that is behind is looked at. */
    let closes = false;
    for (const bytes of frames) {
      const due = ends || closes ? 'nothing' : this.#due(bytes, dues.length < frames.length - 1);
      dues.push({ due, bytes });
      if (due === 'end') ends = true;
      else if (due !== 'nothing') this.#state = due.next ?? this.#state;
      if (this.#state === 'closed') closes = true;
    }
    for (const bytes of frames) raw.session.send.add(bytes);
    raw.connection.write(raw.session.send.take());
    if (ends) {
      await this.#patiently(raw.closed, `the end, after ${namesOf(frames)}`);
      /* Of what came before in the same write the answers may be lost. */
      must(frames.length > 1 || raw.bytesReceived === before, () => `bytes before the end, after ${namesOf(frames)}`);
      this.#state = 'closed';
      await this.#begunIsDone();
      return;
    }
    for (const { due, bytes } of dues) if (due !== 'nothing' && due !== 'end') await this.#settled(bytes, due);
    for (const { opcode, header } of this.#answers)
      must(opcode < 100_000 && header.status !== Status.error, () => `an answer too many, to ${namesOf(frames)}`);
  }

  /** What was proven goes on behind the end of its connection: an account is made, or its keys change. What comes next meets that. */
  async #begunIsDone(): Promise<void> {
    if (!this.#registered) return;
    const { store, context } = this.#daemon;
    for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await soon()) {
      const account = await store.accountByUid(this.#me.uid);
      if (!account || hex(account.enc) !== hex(this.#keys.enc)) continue;
      await context.logins.inTurn(idKey(account.uid), () => Promise.resolve()); // the former keys are nobody's by now
      return;
    }
    throw new Wrong('the account is not there, or has not the keys that were proven');
  }

  async #settled(bytes: Uint8Array, due: Exclude<Due, string>): Promise<void> {
    const { opcode, step, id } = headOf(bytes);
    const what = `${nameOf(bytes)} in ${this.#state}`;
    const found = await this.#patiently(this.#answerTo(id, what), `the answer to ${what}`);
    const { header } = found;
    must(header.code === due.code, () => `${what} gets ${String(header.code)}, SPEC says ${String(due.code)}`);
    must(found.opcode === opcode && found.step === step, () => `${what}: opcode and step of the answer`);
    const several = header.code === 200 && ['crea', 'pass', 'rcov'].includes(nameOf(bytes).slice(0, 4));
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
    if (struct === structs.rcov1) bytes.fill(0xff, 584, 680);
    if (struct === structs.auth1) bytes.fill(0xff, 318, 414);
    if (struct === structs.pswd1) bytes.fill(0xff, 30, 62);
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
        if (this.#draws.chance(0.15)) return this.#rcov1();
        return this.#draws.chance(this.#registered ? 0.1 : 0.8) ? this.#crea1() : this.#auth1();
      case 'registering':
        return this.#draws.pick([
          () => this.#crea2(),
          () => this.#crea2(),
          () => this.#crea2(),
          () => this.#crea1(),
          () => this.#auth1(),
        ])();
      case 'confirming':
        return this.#crea3();
      case 'proving': {
        const ke3 = this.#draws.chance(0.85) ? this.#login?.ke3 : undefined;
        return this.#command(structs.auth2, { ke3: ke3 ?? noise(this.#draws, 64) });
      }
      case 'words':
        return this.#draws.chance(this.#byMail && !this.#code ? 0.7 : 0.1) ? this.#mcod() : this.#pass();
      case 'recovering': {
        const proof = this.#recovery?.proof;
        if (proof && this.#draws.chance(0.8)) return this.#command(structs.rcov2, proof);
        return drawStruct(this.#draws, structs.rcov2).slice(0, STRUCT);
      }
      default:
        return this.#draws.chance(0.05) ? this.#mcod() : this.#conversation();
    }
  }

  #crea1(): Uint8Array {
    const { state, request } = this.#passwords.registrationStart(this.#password);
    this.#requests.set(hex(request), { state, request });
    const { enc, sig } = this.#keys;
    const name = this.#draws.chance(0.85) ? this.#me.name : this.#partner.name;
    switch (this.#draws.below(10)) {
      case 0:
        return this.#command(structs.crea1, { name, enc, sig: enc, opaque: request, ...uninvited });
      case 1:
        return this.#command(structs.crea1, {
          name,
          enc: enc.map((byte, at) => (at === 255 ? byte & 0xfe : byte)),
          sig,
          opaque: request,
          ...uninvited,
        });
      case 2:
        return this.#command(structs.crea1, { name, enc, sig, opaque: new Uint8Array(32).fill(0xff), ...uninvited });
      case 3:
      case 4: {
        if (!this.#registered) return this.#command(structs.crea1, { name, enc, sig, opaque: request, ...uninvited });
        const other = this.#daemon.keys.server.modulus;
        const [one, another] = this.#draws.pick([
          [enc, sig],
          [sig, enc],
          [enc, other],
          [other, enc],
        ] as const);
        return this.#command(structs.crea1, { name: 'anew', enc: one, sig: another, opaque: request, ...uninvited });
      }
      default:
        return this.#command(structs.crea1, { name, enc, sig, opaque: request, ...uninvited });
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
    return this.#command(structs.crea2, { mac, signature, record, words, ...this.#told() });
  }

  get #address(): string {
    return `${this.#me.name}@mail.example`;
  }

  #told(): Pick<Values<typeof structs.crea2>, 'fullName' | 'email'> {
    const fullName = this.#draws.pick(['', 'Zoë', 'Z'.repeat(96), 'Zoë', 'Z\n'].map(utf8));
    const other = this.#draws.pick(['me@mail', 'a@b@mail.example', 'a@mail.example\r\nBcc: b@mail.example']);
    const email = this.#draws.pick(['', this.#address, this.#address, this.#address, other]);
    return this.#draws.chance(0.2) ? untold : { fullName, email: utf8(email) };
  }

  #crea3(): Uint8Array {
    const right = utf8(this.#daemon.mailed.get(this.#address) ?? '');
    return this.#command(structs.crea3, { code: this.#draws.chance(0.4) ? right : noise(this.#draws, 8) });
  }

  #mcod(): Uint8Array {
    return this.#command(structs.mcod, { words: this.#draws.chance(0.8) ? this.#words : noise(this.#draws, 32) });
  }

  async #auth1(): Promise<Uint8Array> {
    const typed = this.#draws.chance(0.9) ? this.#password : 'another';
    const begun = this.#passwords.loginStart(typed);
    const name = this.#draws.chance(0.9) ? this.#me.name : drawName(this.#draws);
    const signed = this.#draws.chance(0.9);
    const message = loginMessage(this.#connection.session.th2, name, begun.ke1);
    const signature = signed
      ? await nodeAsymmetric.pssSign(this.#own.sig, Label.login, message)
      : noise(this.#draws, 256);
    const ke1 = this.#draws.chance(0.9) ? begun.ke1 : new Uint8Array(96).fill(0xff);
    const bytes = this.#command(structs.auth1, { name, signature, ke1 });
    const transcript = new LoginTranscript();
    transcript.add(bytes);
    const signer = signed && name === this.#me.name ? this.#own : undefined;
    if (ke1 === begun.ke1) this.#logins.set(hex(ke1), { begun, typed, signer, real: false, transcript });
    return bytes;
  }

  #rcov1(): Uint8Array {
    const typed = this.#draws.chance(0.9) ? this.#password : 'another';
    const begun = this.#passwords.loginStart(typed);
    const name = this.#draws.chance(0.8)
      ? this.#me.name
      : this.#draws.pick([this.#partner.name, drawName(this.#draws)]);
    const own = this.#draws.chance(0.7) ? this.#codes[0] : undefined;
    const code = own ?? noise(this.#draws, 10);
    const [enc, sig] = [this.#next.enc.modulus, this.#next.sig.modulus];
    const ke1 = this.#draws.chance(0.9) ? begun.ke1 : new Uint8Array(96).fill(0xff);
    if (ke1 === begun.ke1) this.#recoveries.set(hex(ke1), { begun, typed, code, name, real: false });
    return this.#command(structs.rcov1, { name, code, enc, sig: this.#draws.chance(0.9) ? sig : enc, ke1 });
  }

  /** What shows that whoever asks is there. */
  #proof(): Values<typeof structs.dlac> {
    const words = this.#draws.chance(0.85) ? this.#words : noise(this.#draws, 32);
    return { words: words.length === 32 ? words : noise(this.#draws, 32), factor: 0, code: new Uint8Array(0) };
  }

  async #rkey2(): Promise<Uint8Array> {
    const p = this.#renewal?.p;
    const { enc, sig } = this.#next;
    const unsigned = { ...this.#me, enc: enc.modulus, sig: sig.modulus, time: 7, suite: 1 };
    const bundle = await signKeyBundle(rsa, sig, unsigned);
    const former = await signFormer(rsa, this.#own.sig, bundle);
    const sound = renewalMac(nodeSync, p ?? noise(this.#draws, 32), this.#connection.session.th2, bundle);
    const mac = this.#draws.chance(0.9) ? sound : noise(this.#draws, 32);
    const { time, suite, signature } = bundle;
    const bytes = this.#command(structs.rkey2, { ...this.#proof(), mac, time, suite, signature, former });
    if (p && mac === sound) this.#sound.add(hex(bytes));
    return bytes;
  }
  /** `rkey2` whose mac and signatures are right. */
  readonly #sound = new Set<string>();

  #pass(): Uint8Array {
    const words = this.#draws.chance(0.8) ? this.#words : noise(this.#draws, 32);
    const [factor, code] = this.#draws.pick([
      [0, new Uint8Array(0)],
      [0, new Uint8Array(0)],
      [3, this.#grant.length === 32 ? this.#grant : noise(this.#draws, 32)],
      [3, noise(this.#draws, 32)],
      [4, utf8(this.#code?.digits ?? '00000000')],
      [4, utf8(this.#code?.digits ?? '00000000')],
      [this.#draws.pick([1, 2, 4]), noise(this.#draws, 6)],
    ] as const);
    return this.#command(structs.pass, { words, factor, code });
  }

  #pswd1(): Uint8Array {
    const { state, request } = this.#passwords.registrationStart(this.#password);
    this.#requests.set(hex(request), { state, request });
    return this.#command(structs.pswd1, {
      opaque: this.#draws.chance(0.9) ? request : new Uint8Array(32).fill(0xff),
    });
  }

  #pswd2(): Uint8Array {
    const { record, words } = this.#registeredAnew ?? {
      record: noise(this.#draws, 192),
      words: noise(this.#draws, 32),
    };
    const isRight = this.#registeredAnew !== undefined && this.#draws.chance(0.8);
    return this.#command(structs.pswd2, {
      words: isRight ? this.#words : noise(this.#draws, 32),
      factor: this.#draws.chance(0.9) ? 0 : this.#draws.pick([1, 2, 3, 4]),
      code: noise(this.#draws, this.#draws.below(33)),
      record,
      newWords: nodeSync.sha256(words),
    });
  }

  #letter(to: Uint8Array, from = this.#me.uid): Uint8Array {
    const envelope = noise(this.#draws, 1736);
    envelope.set(from, 34);
    envelope.set(to, 50);
    return this.#command(structs.smpu, { envelope });
  }

  async #conversation(): Promise<Uint8Array> {
    const draws = this.#draws;
    if (draws.chance(0.1)) {
      const keys = draws.chance(0.9) ? this.#next : this.#own;
      const [enc, sig] = [keys.enc.modulus, keys.sig.modulus];
      if (draws.chance(0.15)) return this.#command(structs.dlac, this.#proof());
      if (this.#renewal && draws.chance(0.7)) return this.#rkey2();
      return this.#command(structs.rkey1, { enc, sig: draws.chance(0.9) ? sig : enc });
    }
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
      () => this.#security(),
      () => this.#pswd1(),
      () => (this.#passwordDue ? this.#pswd2() : this.#pswd1()),
      () => this.#pswd2(),
      () => (draws.chance(0.2) ? this.#command(structs.quit, {}) : this.#letter(this.#partner.uid)),
    ])();
  }

  /** One's own account; nobody draws a code that counts. */
  #security(): Uint8Array {
    const draws = this.#draws;
    const words = draws.chance(0.7) ? this.#words : noise(draws, 32);
    const proof = { words, factor: draws.chance(0.8) ? 0 : draws.below(5), code: noise(draws, draws.below(33)) };
    const digits = Buffer.from(String(100_000 + draws.below(900_000)));
    return draws.pick([
      () => this.#command(structs.fact1, { kind: draws.below(2), ...proof, email: new Uint8Array(0) }),
      () => this.#command(structs.fact2, { code: draws.chance(0.5) ? digits : noise(draws, draws.below(9)) }),
      () => this.#command(structs.rcod, proof),
      () => this.#command(structs.acct, {}),
      () => this.#command(structs.rvok, { session: draws.chance(0.5) ? new Uint8Array(16) : noise(draws, 16) }),
    ])();
  }

  /** Words and second factor, as what changes an account asks for them. */
  #isProof({ words, factor, code }: Values<typeof structs.dlac>): boolean {
    return hex(nodeSync.sha256(words)) === this.#wordsHash && factor !== 3 && this.#proves(factor, code);
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
        return this.#dueCrea2(bytes, values, behind);
      case 'crea3':
        return this.#dueCrea3(values as Values<typeof structs.crea3>, behind);
      case 'mcod': {
        const due = this.#dueMcod(values as Values<typeof structs.mcod>, bytes);
        return behind && this.#state === 'words' ? 'end' : due;
      }
      case 'auth1':
      case 'auth2':
      case 'pass': {
        const due = this.#dueLogin(verdict.line, values, bytes);
        return behind ? 'end' : due; // any frame that is sent before the answer to the last one
      }
      case 'rcov1':
      case 'rcov2': {
        const due = verdict.line.name === 'rcov1' ? this.#dueRcov1(values) : this.#dueRcov2(bytes);
        return behind ? 'end' : due;
      }
      case 'rkey1':
        return this.#dueRkey1(values);
      case 'rkey2':
        return this.#dueRkey2(values, bytes);
      case 'dlac':
        return this.#dueDlac(values);
      case 'quit':
        if (this.#state === 'ready') this.#grantRuns = false;
        return 'end';
      case 'ackd':
        return 'nothing';
      case 'pswd1':
        return this.#duePswd1(values as Values<typeof structs.pswd1>);
      case 'pswd2':
        return { code: this.#codeOfPswd2(values as Values<typeof structs.pswd2>) };
      default:
        return this.#dueReady(verdict.line.name, values, bytes);
    }
  }

  #dueCrea1(values: Row): Due {
    const { name, enc, sig, opaque } = values as Values<typeof structs.crea1>;
    this.#registration = undefined;
    if (!areSound(enc, sig)) return { code: 400, next: 'open' };
    if (name === this.#partner.name || (name === this.#me.name && this.#registered)) return { code: 409, next: 'open' };
    const used = [this.#keys.enc, this.#keys.sig].map(hex);
    if (this.#registered && [enc, sig].some((modulus) => used.includes(hex(modulus))))
      return { code: 400, next: 'open' };
    const begun = this.#requests.get(hex(opaque));
    if (!begun) return { code: 400, next: 'open' };
    this.#registration = begun;
    return { code: 101, next: 'registering', learn: (answer) => this.#learnCrea1(begun, answer) };
  }

  async #learnCrea1(begun: Registration, { values }: Received): Promise<void> {
    const { uid, block, opaque } = values as Values<typeof structs.crea1Answer>;
    const p = await nodeAsymmetric.oaepOpen(this.#own.enc, Label.pop, block);
    const done = this.#passwords.registrationFinish(this.#password, begun.state, opaque);
    if (!p || !done) throw new Wrong('the answer to crea1 does not open');
    const { th2 } = this.#connection.session;
    const message = keysMessage(th2, this.#me.name, this.#keys.enc, this.#keys.sig);
    begun.uid = uid.slice();
    begun.exportKey = done.exportKey;
    begun.proof = concat(
      possession(nodeSync, p, th2, done.record),
      await nodeAsymmetric.pssSign(this.#own.sig, Label.keys, message),
      done.record,
      nodeSync.sha256(wordsProof(nodeSync, done.exportKey, this.#w)),
    );
  }

  /** @param behind more was sent before its answer */
  #dueCrea2(bytes: Uint8Array, values: Row, behind: boolean): Due {
    const begun = this.#registration;
    this.#registration = undefined;
    const { fullName, email } = values as Values<typeof structs.crea2>;
    if (!isTold(fullName, email)) return { code: 400, next: 'open' };
    const proven =
      begun?.proof !== undefined && hex(bytes.subarray(30, 30 + 480)) === hex(begun.proof.subarray(0, 480));
    if (!proven) return { code: 401, next: 'open' };
    const wordsHash = hex(bytes.subarray(510, 542));
    if (email.length === 0) return this.#dueMade(begun, wordsHash, false, behind);
    this.#registration = { ...begun, due: { tries: 0, wordsHash } };
    return { code: 103, next: 'confirming' };
  }

  #dueCrea3({ code }: Values<typeof structs.crea3>, behind: boolean): Due {
    const begun = this.#registration;
    if (!begun?.due) throw new Error('no code is due');
    if (hex(code) !== hex(utf8(this.#daemon.mailed.get(this.#address) ?? '-')))
      return { code: 401, next: ++begun.due.tries === 5 ? 'open' : 'confirming' };
    this.#registration = undefined;
    return this.#dueMade(begun, begun.due.wordsHash, true, behind);
  }

  #dueMade(begun: Registration, wordsHash: string, mailed: boolean, behind: boolean): Due {
    if (!begun.uid || !begun.exportKey) throw new Error('a proof without its answer');
    this.#registered = true;
    this.#me.uid = Uint8Array.from(begun.uid);
    const words = wordsProof(nodeSync, begun.exportKey, this.#w);
    /* H of the words proof is taken as it is sent: another one means words that nobody knows. */
    this.#words = wordsHash === hex(nodeSync.sha256(words)) ? words : noise(this.#draws, 32);
    this.#wordsHash = wordsHash;
    return {
      code: 200,
      next: 'open',
      learn: async () => {
        const { store } = this.#daemon;
        this.#partnerAsked = this.#draws.chance(0.7);
        if (this.#partnerAsked) await store.setConsent(this.#partner.uid, this.#me.uid, 'open');
        this.#mine = 'none';
        this.#byMail = mailed && !behind && this.#draws.chance(0.7); // nobody has logged in yet
        const code = noise(this.#draws, 10);
        this.#codes = [code];
        const recovery = [nodeSync.sha256(this.#me.uid, code)];
        const factor = this.#byMail ? SecondFactor.mail : SecondFactor.none;
        await store.changeAccount(this.#me.uid, (account) => withSecurity(account, { recovery, factor }));
      },
    };
  }
  #wordsHash = '';

  #dueRcov1(values: Row): Due {
    const { enc, sig, ke1 } = values as Values<typeof structs.rcov1>;
    this.#registration = undefined;
    if (++this.#tried > 3) return 'end';
    const begun = this.#recoveries.get(hex(ke1));
    const areInUse = this.#registered && hex(enc) === hex(this.#keys.enc); // where it is sent again
    if (!areSound(enc, sig) || areInUse || !begun) return { code: 400, next: 'open' };
    begun.real = begun.name === this.#me.name && this.#codes.some((one) => hex(one) === hex(begun.code));
    this.#recovery = begun;
    return { code: 101, next: 'recovering', learn: (answer) => this.#learnRcov1(begun, answer) };
  }

  async #learnRcov1(begun: Recovery, { values }: Received): Promise<void> {
    const { uid, block, ke2 } = values as Values<typeof structs.rcov1Answer>;
    must((hex(uid) === hex(this.#me.uid)) === begun.real, 'the uid of a recovery');
    const p = await nodeAsymmetric.oaepOpen(this.#next.enc, Label.pop, block);
    if (!p) throw new Wrong('the answer to rcov1 does not open');
    const done = this.#passwords.loginFinish(begun.typed, begun.begun.state, ke2);
    const opens = begun.real && begun.typed === this.#password;
    must((done !== undefined) === opens, opens ? 'KE2 does not open' : 'KE2 opens without a code');
    if (!done) return;
    begun.words = wordsProof(nodeSync, done.exportKey, this.#w);
    const words = nodeSync.sha256(begun.words);
    const { enc, sig } = this.#next;
    const keys = { enc: enc.modulus, sig: sig.modulus };
    const bundle = await signKeyBundle(rsa, sig, { uid: uid.slice(), name: this.#me.name, ...keys, time: 7, suite: 1 });
    const { time, suite, signature } = bundle;
    const mac = recoveryMac(nodeSync, p, done.sessionKey, this.#connection.session.th2, words, bundle);
    begun.proof = { ke3: done.ke3, mac, words, time, suite, signature };
  }

  #dueRcov2(bytes: Uint8Array): Due {
    const begun = this.#recovery;
    this.#recovery = undefined;
    const { id } = headOf(bytes);
    const wanted = begun?.proof && encodeCommand(structs.rcov2, begun.proof, Buffer.from(id, 'hex'));
    const proven = wanted !== undefined && hex(wanted.subarray(30)) === hex(bytes.subarray(30));
    if (!begun?.words || !proven) return { code: 401, next: 'open' };
    this.#codes = this.#codes.filter((one) => hex(one) !== hex(begun.code));
    this.#words = begun.words;
    this.#wordsHash = hex(nodeSync.sha256(begun.words));
    if (this.#mine === 'open') this.#mine = 'declined';
    [this.#byMail, this.#grantRuns] = [false, false];
    this.#exchangeKeys();
    return { code: 200, next: 'open' };
  }

  #dueRkey1(values: Row): Due {
    const { enc, sig } = values as Values<typeof structs.rkey1>;
    this.#renewal = undefined;
    if (!areSound(enc, sig) || hex(enc) === hex(this.#keys.enc)) return { code: 400 }; // the present ones are in use
    const pending: { p?: Uint8Array } = {};
    this.#renewal = pending;
    const isOwn = hex(enc) === hex(this.#next.enc.modulus);
    return {
      code: 200,
      learn: async ({ values: answer }) => {
        const { block } = answer as Values<typeof structs.rkey1Answer>;
        const p = await nodeAsymmetric.oaepOpen(this.#next.enc, Label.pop, block);
        must((p !== undefined) === isOwn, 'the answer to rkey1');
        if (p) pending.p = p;
      },
    };
  }

  #dueRkey2(values: Row, bytes: Uint8Array): Due {
    const pending = this.#renewal;
    this.#renewal = undefined;
    if (!pending) return { code: 409 };
    if (!this.#sound.has(hex(bytes)) || !this.#isProven(values)) return { code: 401 };
    this.#exchangeKeys();
    return { code: 200, next: 'closed' };
  }

  #isProven(values: Row): boolean {
    return this.#isProof(values as Values<typeof structs.dlac>);
  }

  #dueDlac(values: Row): Due {
    if (!this.#isProven(values)) return { code: 401 };
    this.#registered = false;
    this.#me.uid = new Uint8Array(16);
    [this.#mine, this.#partnerAsked, this.#codes] = ['none', false, []];
    [this.#byMail, this.#grantRuns] = [false, false];
    this.#grant = new Uint8Array(0);
    this.#done.clear();
    return { code: 200, next: 'closed' };
  }

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
    const { factor, words, code } = values as Values<typeof structs.pass>;
    login.transcript.add(bytes);
    const wrong = hex(nodeSync.sha256(words)) !== this.#wordsHash;
    if (wrong || !this.#proves(factor, code)) return { code: 401, next: 'open' };
    return { code: 200, next: 'ready', learn: (answer) => this.#learnPass(answer) };
  }

  #proves(factor: number, code: Uint8Array): boolean {
    if (!this.#byMail) return factor === 0 || factor === 3;
    if (factor === 3) return this.#grantRuns && hex(code) === hex(this.#grant);
    const due = this.#code;
    if (factor !== 4 || !due) return false;
    const right = hex(code) === hex(utf8(due.digits));
    if (right || ++due.tries === 5) this.#code = undefined;
    return right;
  }

  #dueMcod({ words }: Values<typeof structs.mcod>, bytes: Uint8Array): Due {
    const login = this.#state === 'words' ? this.#login : undefined;
    const failed = (code: number): Due => (login ? { code, next: 'open' } : { code });
    if (hex(nodeSync.sha256(words)) !== this.#wordsHash) return failed(401);
    if (!this.#byMail) return failed(409);
    login?.transcript.add(bytes);
    return {
      code: 103,
      learn: (answer) => {
        login?.transcript.add(answer.bytes);
        this.#code = { digits: this.#daemon.mailed.get(this.#address) ?? '', tries: 0 };
        return Promise.resolve();
      },
    };
  }

  #dueAuth1({ ke1 }: Values<typeof structs.auth1>): Due {
    this.#registration = undefined;
    if (++this.#tried > 3) return 'end';
    const login = this.#logins.get(hex(ke1));
    if (!login) return { code: 400, next: 'open' };
    login.real = login.signer === this.#own && this.#registered; // not by former keys, where it is sent again
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
        const s2 = await nodeAsymmetric.oaepOpen(this.#own.enc, Label.s2, block);
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
    this.#grantRuns = true;
    const cnnt = await this.#patiently(this.#event(structs.cnnt), 'cnnt');
    const { uid, name, queued } = cnnt as Values<typeof structs.cnnt>;
    must(hex(uid) === hex(this.#me.uid) && name === this.#me.name && queued === 0, 'cnnt');
    const drnd = await this.#patiently(this.#event(structs.drnd), 'drnd');
    must((drnd as Values<typeof structs.drnd>).delivered === 0, 'drnd');
  }

  #duePswd1({ opaque }: Values<typeof structs.pswd1>): Due {
    const begun = this.#requests.get(hex(opaque));
    this.#passwordDue = begun !== undefined;
    if (!begun) return { code: 400 };
    return {
      code: 200,
      learn: ({ values }) => {
        const { opaque: response } = values as Values<typeof structs.pswd1Answer>;
        const done = this.#passwords.registrationFinish(this.#password, begun.state, response);
        if (!done) throw new Wrong('the answer to pswd1 does not open');
        this.#registeredAnew = { record: done.record, words: wordsProof(nodeSync, done.exportKey, this.#w) };
        return Promise.resolve();
      },
    };
  }

  /** From here on the login's words proof is another one. */
  #codeOfPswd2(values: Values<typeof structs.pswd2>): number {
    const { newWords } = values;
    const isDue = this.#passwordDue;
    this.#passwordDue = false;
    if (!isDue) return 409;
    if (!this.#isProof(values)) return 401;
    this.#wordsHash = hex(newWords);
    this.#words = this.#registeredAnew?.words ?? noise(this.#draws, 32);
    return 200;
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

  /** Codes that may still be mistyped while one-time codes are set up. */
  #mistypes = 0;

  #fact1Code(values: Values<typeof structs.fact1>): number {
    this.#mistypes = 0;
    if (!this.#isProof(values)) return 401;
    if (values.kind === 0) {
      this.#byMail = false;
      return 200;
    }
    this.#mistypes = 5;
    return 101;
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
      case 'fact1':
        return this.#fact1Code(values as Values<typeof structs.fact1>);
      case 'fact2':
        if (this.#mistypes === 0) return 409;
        this.#mistypes--;
        return 401;
      case 'rcod':
        if (!this.#isProof(values as Values<typeof structs.rcod>)) return 401;
        this.#codes = []; // new ones, that nobody notes
        return 200;
      case 'acct':
        return 200;
      case 'rvok':
        return isZero((values as Values<typeof structs.rvok>).session) ? 200 : 404;
      default:
        return 403; // of rooms: there is none, and nobody draws the head of one
    }
  }
}

const ownAccount: readonly string[] = ['fact1', 'fact2', 'rcod', 'acct', 'rvok'];
/** What SPEC 6.2 says of a full name and an address; empty is none. */
function isTold(fullName: Uint8Array, email: Uint8Array): boolean {
  const name = Buffer.from(fullName).toString('utf8');
  if (!Buffer.from(name).equals(fullName) || /[\p{Cc}\u2028\u2029]/u.test(name)) return false;
  const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
  const address = new RegExp(
    `^(?=.{1,64}@)${atom}(\\.${atom})*@([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+(?![0-9]+$)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`,
  );
  return email.length === 0 || address.test(Buffer.from(email).toString('latin1'));
}

/** Not answered as before when they come again (SPEC 8.3). */
const repeatable: ReadonlySet<string> = new Set([
  'smpu',
  'keyq',
  'jrms1',
  'jrms2',
  'srms',
  'rtrm1',
  'strm',
  'mbrm',
  ...ownAccount,
]);

function nameOf(bytes: Uint8Array): string {
  const { opcode, step } = headOf(bytes);
  const struct = Object.values(structs).find((one: Struct) => one.opcode === opcode && one.step === step);
  return struct?.name ?? `${String(opcode)}/${String(step)}`;
}

const namesOf = (frames: readonly Uint8Array[]): string => frames.map(nameOf).join(', ');
