/** What SPEC 6, 7 and 8.3 make of a struct that a play sends; what it knows becomes what it is then. */
import {
  hex,
  isZero,
  keysMessage,
  Label,
  possession,
  recoveryMac,
  signKeyBundle,
  structs,
  utf8,
  wordsProof,
  concat,
  type Values,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import { withSecurity } from '../../src/server/factors.js';
import { SecondFactor } from '../../src/store/store.js';
import type { Draws } from '../support/draws.js';
import { must, Wrong } from '../support/fuzz.js';
import { encodeCommand, type Received } from '../support/raw.js';
import type { Known, Recovery, Registration } from './daemon-known.js';
import { headOf, judge, type State } from './daemon-model.js';
import type { Row } from './daemon-wire.js';
import type { Line } from './spec-codec.js';
import { areSound } from './spec-keys.js';
import { noise } from './struct-draws.js';

/** What a struct must get: one answer, none, or the end of the connection. */
export type Due =
  | { readonly code: number; readonly next?: State; readonly learn?: (answer: Received) => Promise<void> }
  | 'nothing'
  | 'end';

const rsa = { sync: nodeSync, asymmetric: nodeAsymmetric };

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

export class Dues {
  readonly #known: Known;
  readonly #draws: Draws;

  constructor(known: Known, draws: Draws) {
    this.#known = known;
    this.#draws = draws;
  }

  /** @param behind more was sent before its answer */
  of(bytes: Uint8Array, behind: boolean): Due {
    const verdict = judge(this.#known.state, bytes);
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
        if (!behind || this.#known.state !== 'words') return due;
        this.#known.code = undefined; // another one is on its way, and this one void by then
        return 'end';
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
        if (this.#known.state === 'ready') this.#known.grantRuns = false;
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
    this.#known.here.registration = undefined;
    if (!areSound(enc, sig)) return { code: 400, next: 'open' };
    if (name === this.#known.partner.name || (name === this.#known.me.name && this.#known.registered))
      return { code: 409, next: 'open' };
    const used = [this.#known.keys.enc, this.#known.keys.sig].map(hex);
    if (this.#known.registered && [enc, sig].some((modulus) => used.includes(hex(modulus))))
      return { code: 400, next: 'open' };
    const begun = this.#known.here.requests.get(hex(opaque));
    if (!begun) return { code: 400, next: 'open' };
    this.#known.here.registration = begun;
    return { code: 101, next: 'registering', learn: (answer) => this.#learnCrea1(begun, answer) };
  }

  async #learnCrea1(begun: Registration, { values }: Received): Promise<void> {
    const { uid, block, opaque } = values as Values<typeof structs.crea1Answer>;
    const p = await nodeAsymmetric.oaepOpen(this.#known.own.enc, Label.pop, block);
    const done = this.#known.passwords.registrationFinish(this.#known.password, begun.state, opaque);
    if (!p || !done) throw new Wrong('the answer to crea1 does not open');
    const { th2 } = this.#known.wire.session;
    const message = keysMessage(th2, this.#known.me.name, this.#known.keys.enc, this.#known.keys.sig);
    begun.uid = uid.slice();
    begun.exportKey = done.exportKey;
    begun.proof = concat(
      possession(nodeSync, p, th2, done.record),
      await nodeAsymmetric.pssSign(this.#known.own.sig, Label.keys, message),
      done.record,
      nodeSync.sha256(wordsProof(nodeSync, done.exportKey, this.#known.w)),
    );
  }

  /** @param behind more was sent before its answer */
  #dueCrea2(bytes: Uint8Array, values: Row, behind: boolean): Due {
    const begun = this.#known.here.registration;
    this.#known.here.registration = undefined;
    const { fullName, email } = values as Values<typeof structs.crea2>;
    if (!isTold(fullName, email)) return { code: 400, next: 'open' };
    const proven =
      begun?.proof !== undefined && hex(bytes.subarray(30, 30 + 480)) === hex(begun.proof.subarray(0, 480));
    if (!proven) return { code: 401, next: 'open' };
    const wordsHash = hex(bytes.subarray(510, 542));
    if (email.length === 0) return this.#dueMade(begun, wordsHash, false, behind);
    this.#known.here.registration = { ...begun, due: { tries: 0, wordsHash } };
    return { code: 103, next: 'confirming' };
  }

  #dueCrea3({ code }: Values<typeof structs.crea3>, behind: boolean): Due {
    const begun = this.#known.here.registration;
    if (!begun?.due) throw new Error('no code is due');
    if (hex(code) !== hex(utf8(this.#known.daemon.mailed.get(this.#known.address) ?? '-')))
      return { code: 401, next: ++begun.due.tries === 5 ? 'open' : 'confirming' };
    this.#known.here.registration = undefined;
    return this.#dueMade(begun, begun.due.wordsHash, true, behind);
  }

  #dueMade(begun: Registration, wordsHash: string, mailed: boolean, behind: boolean): Due {
    if (!begun.uid || !begun.exportKey) throw new Error('a proof without its answer');
    this.#known.registered = true;
    this.#known.me.uid = Uint8Array.from(begun.uid);
    const words = wordsProof(nodeSync, begun.exportKey, this.#known.w);
    /* H of the words proof is taken as it is sent: another one means words that nobody knows. */
    this.#known.words = wordsHash === hex(nodeSync.sha256(words)) ? words : noise(this.#draws, 32);
    this.#known.wordsHash = wordsHash;
    return {
      code: 200,
      next: 'open',
      learn: async () => {
        const { store } = this.#known.daemon;
        this.#known.partnerAsked = this.#draws.chance(0.7);
        if (this.#known.partnerAsked) await store.setConsent(this.#known.partner.uid, this.#known.me.uid, 'open');
        this.#known.mine = 'none';
        this.#known.byMail = mailed && !behind && this.#draws.chance(0.7); // nobody has logged in yet
        const code = noise(this.#draws, 10);
        this.#known.codes = [code];
        const recovery = [nodeSync.sha256(this.#known.me.uid, code)];
        const factor = this.#known.byMail ? SecondFactor.mail : SecondFactor.none;
        await store.changeAccount(this.#known.me.uid, (account) => withSecurity(account, { recovery, factor }));
      },
    };
  }

  #dueRcov1(values: Row): Due {
    const { enc, sig, ke1 } = values as Values<typeof structs.rcov1>;
    this.#known.here.registration = undefined;
    if (++this.#known.here.tried > 3) return 'end';
    const begun = this.#known.here.recoveries.get(hex(ke1));
    const areInUse = this.#known.registered && hex(enc) === hex(this.#known.keys.enc); // where it is sent again
    if (!areSound(enc, sig) || areInUse || !begun) return { code: 400, next: 'open' };
    begun.real = begun.name === this.#known.me.name && this.#known.codes.some((one) => hex(one) === hex(begun.code));
    this.#known.here.recovery = begun;
    return { code: 101, next: 'recovering', learn: (answer) => this.#learnRcov1(begun, answer) };
  }

  async #learnRcov1(begun: Recovery, { values }: Received): Promise<void> {
    const { uid, block, ke2 } = values as Values<typeof structs.rcov1Answer>;
    must((hex(uid) === hex(this.#known.me.uid)) === begun.real, 'the uid of a recovery');
    const p = await nodeAsymmetric.oaepOpen(this.#known.next.enc, Label.pop, block);
    if (!p) throw new Wrong('the answer to rcov1 does not open');
    const done = this.#known.passwords.loginFinish(begun.typed, begun.begun.state, ke2);
    const opens = begun.real && begun.typed === this.#known.password;
    must((done !== undefined) === opens, opens ? 'KE2 does not open' : 'KE2 opens without a code');
    if (!done) return;
    begun.words = wordsProof(nodeSync, done.exportKey, this.#known.w);
    const words = nodeSync.sha256(begun.words);
    const { enc, sig } = this.#known.next;
    const keys = { enc: enc.modulus, sig: sig.modulus };
    const bundle = await signKeyBundle(rsa, sig, {
      uid: uid.slice(),
      name: this.#known.me.name,
      ...keys,
      time: 7,
      suite: 1,
    });
    const { time, suite, signature } = bundle;
    const mac = recoveryMac(nodeSync, p, done.sessionKey, this.#known.wire.session.th2, words, bundle);
    begun.proof = { ke3: done.ke3, mac, words, time, suite, signature };
  }

  #dueRcov2(bytes: Uint8Array): Due {
    const begun = this.#known.here.recovery;
    this.#known.here.recovery = undefined;
    const { id } = headOf(bytes);
    const wanted = begun?.proof && encodeCommand(structs.rcov2, begun.proof, Buffer.from(id, 'hex'));
    const proven = wanted !== undefined && hex(wanted.subarray(30)) === hex(bytes.subarray(30));
    if (!begun?.words || !proven) return { code: 401, next: 'open' };
    this.#known.codes = this.#known.codes.filter((one) => hex(one) !== hex(begun.code));
    this.#known.words = begun.words;
    this.#known.wordsHash = hex(nodeSync.sha256(begun.words));
    if (this.#known.mine === 'open') this.#known.mine = 'declined';
    [this.#known.byMail, this.#known.grantRuns] = [false, false];
    this.#known.exchangeKeys();
    return { code: 200, next: 'open' };
  }

  #dueRkey1(values: Row): Due {
    const { enc, sig } = values as Values<typeof structs.rkey1>;
    this.#known.here.renewal = undefined;
    if (!areSound(enc, sig) || hex(enc) === hex(this.#known.keys.enc)) return { code: 400 }; // the present ones are in use
    const pending: { p?: Uint8Array } = {};
    this.#known.here.renewal = pending;
    const isOwn = hex(enc) === hex(this.#known.next.enc.modulus);
    return {
      code: 200,
      learn: async ({ values: answer }) => {
        const { block } = answer as Values<typeof structs.rkey1Answer>;
        const p = await nodeAsymmetric.oaepOpen(this.#known.next.enc, Label.pop, block);
        must((p !== undefined) === isOwn, 'the answer to rkey1');
        if (p) pending.p = p;
      },
    };
  }

  #dueRkey2(values: Row, bytes: Uint8Array): Due {
    const pending = this.#known.here.renewal;
    this.#known.here.renewal = undefined;
    if (!pending) return { code: 409 };
    if (!this.#known.sound.has(hex(bytes)) || !this.#isProven(values)) return { code: 401 };
    this.#known.exchangeKeys();
    return { code: 200, next: 'closed' };
  }

  #isProven(values: Row): boolean {
    return this.#isProof(values as Values<typeof structs.dlac>);
  }

  #dueDlac(values: Row): Due {
    if (!this.#isProven(values)) return { code: 401 };
    this.#known.registered = false;
    this.#known.me.uid = new Uint8Array(16);
    [this.#known.mine, this.#known.partnerAsked, this.#known.codes] = ['none', false, []];
    [this.#known.byMail, this.#known.grantRuns] = [false, false];
    this.#known.grant = new Uint8Array(0);
    this.#known.done.clear();
    return { code: 200, next: 'closed' };
  }

  #dueLogin({ name }: Line, values: Row, bytes: Uint8Array): Due {
    if (name === 'auth1') return this.#dueAuth1(values as Values<typeof structs.auth1>);
    const login = this.#known.here.login;
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
    const wrong = hex(nodeSync.sha256(words)) !== this.#known.wordsHash;
    if (wrong || !this.#proves(factor, code)) return { code: 401, next: 'open' };
    return { code: 200, next: 'ready', learn: (answer) => this.#learnPass(answer) };
  }

  #proves(factor: number, code: Uint8Array): boolean {
    if (!this.#known.byMail) return factor === 0 || factor === 3;
    if (factor === 3) return this.#known.grantRuns && hex(code) === hex(this.#known.grant);
    const due = this.#known.code;
    if (factor !== 4 || !due) return false;
    const right = hex(code) === hex(utf8(due.digits));
    if (right || ++due.tries === 5) this.#known.code = undefined;
    return right;
  }

  #dueMcod({ words }: Values<typeof structs.mcod>, bytes: Uint8Array): Due {
    const login = this.#known.state === 'words' ? this.#known.here.login : undefined;
    const failed = (code: number): Due => (login ? { code, next: 'open' } : { code });
    if (hex(nodeSync.sha256(words)) !== this.#known.wordsHash) return failed(401);
    if (!this.#known.byMail) return failed(409);
    login?.transcript.add(bytes);
    return {
      code: 103,
      learn: (answer) => {
        login?.transcript.add(answer.bytes);
        this.#known.code = { digits: this.#known.daemon.mailed.get(this.#known.address) ?? '', tries: 0 };
        return Promise.resolve();
      },
    };
  }

  #dueAuth1({ ke1 }: Values<typeof structs.auth1>): Due {
    this.#known.here.registration = undefined;
    if (++this.#known.here.tried > 3) return 'end';
    const login = this.#known.here.logins.get(hex(ke1));
    if (!login) return { code: 400, next: 'open' };
    login.real = login.signer === this.#known.own && this.#known.registered; // not by former keys, where it is sent again
    this.#known.here.login = login;
    return {
      code: 101,
      next: 'proving',
      learn: async ({ values, bytes }) => {
        const { block, ke2 } = values as Values<typeof structs.auth1Answer>;
        login.transcript.add(bytes);
        login.block = block.slice();
        const done = this.#known.passwords.loginFinish(login.typed, login.begun.state, ke2);
        const opens = login.real && login.typed === this.#known.password;
        must((done !== undefined) === opens, opens ? 'KE2 does not open' : 'KE2 opens for a stranger');
        const s2 = await nodeAsymmetric.oaepOpen(this.#known.own.enc, Label.s2, block);
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
    this.#known.grant = Uint8Array.from(grant);
    this.#known.grantRuns = true;
    const cnnt = await this.#known.wire.event(structs.cnnt);
    const { uid, name, queued } = cnnt as Values<typeof structs.cnnt>;
    must(hex(uid) === hex(this.#known.me.uid) && name === this.#known.me.name && queued === 0, 'cnnt');
    const drnd = await this.#known.wire.event(structs.drnd);
    must((drnd as Values<typeof structs.drnd>).delivered === 0, 'drnd');
  }

  #duePswd1({ opaque }: Values<typeof structs.pswd1>): Due {
    const begun = this.#known.here.requests.get(hex(opaque));
    this.#known.here.passwordDue = begun !== undefined;
    if (!begun) return { code: 400 };
    return {
      code: 200,
      learn: ({ values }) => {
        const { opaque: response } = values as Values<typeof structs.pswd1Answer>;
        const done = this.#known.passwords.registrationFinish(this.#known.password, begun.state, response);
        if (!done) throw new Wrong('the answer to pswd1 does not open');
        this.#known.registeredAnew = {
          record: done.record,
          words: wordsProof(nodeSync, done.exportKey, this.#known.w),
        };
        return Promise.resolve();
      },
    };
  }

  /** From here on the login's words proof is another one. */
  #codeOfPswd2(values: Values<typeof structs.pswd2>): number {
    const { newWords } = values;
    const isDue = this.#known.here.passwordDue;
    this.#known.here.passwordDue = false;
    if (!isDue) return 409;
    if (!this.#isProof(values)) return 401;
    this.#known.wordsHash = hex(newWords);
    this.#known.words = this.#known.registeredAnew?.words ?? noise(this.#draws, 32);
    return 200;
  }

  #dueReady(name: string, values: Row, bytes: Uint8Array): Due {
    if (repeatable.has(name)) return { code: this.#codeOf(name, values) };
    const { id } = headOf(bytes);
    const code = this.#known.done.get(id)?.code ?? this.#codeOf(name, values);
    return {
      code,
      learn: () => {
        this.#known.done.set(id, { bytes, code });
        return Promise.resolve();
      },
    };
  }

  #fact1Code(values: Values<typeof structs.fact1>): number {
    this.#known.here.mistypes = 0;
    if (!this.#isProof(values)) return 401;
    if (values.kind === 0) {
      this.#known.byMail = false;
      return 200;
    }
    this.#known.here.mistypes = 5;
    return 101;
  }

  #codeOf(name: string, values: Row): number {
    const me = { ...this.#known.me, ...this.#known.keys };
    const hasOwn = ({ uid, name: own, enc, sig }: Values<typeof structs.jmpu> | Values<typeof structs.ampu>): boolean =>
      hex(uid) === hex(me.uid) && own === me.name && hex(enc) === hex(me.enc) && hex(sig) === hex(me.sig);
    const isPartner = (uid: Uint8Array): boolean => hex(uid) === hex(this.#known.partner.uid);
    switch (name) {
      case 'jmpu': {
        const request = values as Values<typeof structs.jmpu>;
        if (!hasOwn(request)) return 403;
        if (request.to === me.name) return 409;
        if (request.to !== this.#known.partner.name) return 404;
        this.#known.mine = 'open';
        return 202;
      }
      case 'ampu': {
        const acceptance = values as Values<typeof structs.ampu>;
        if (!hasOwn(acceptance)) return 403;
        if (!isPartner(acceptance.to) || !this.#known.partnerAsked) return 404;
        this.#known.mine = 'open';
        return 202;
      }
      case 'dmpu':
        if (!isPartner((values as Values<typeof structs.dmpu>).to) || !this.#known.partnerAsked) return 404;
        this.#known.mine = 'declined';
        return 202;
      case 'bloc':
        if (!isPartner((values as Values<typeof structs.bloc>).uid)) return 404;
        this.#known.mine = 'blocked';
        return 200;
      case 'keyq':
        return [me.name, this.#known.partner.name].includes((values as Values<typeof structs.keyq>).name) ? 200 : 404;
      case 'jrms1':
        return 200; // a decoy
      case 'jrms2':
        return 401;
      case 'jrms3':
        return isZero((values as Values<typeof structs.jrms3>).auth) ? 403 : 401;
      case 'smpu': {
        const { envelope } = values as Values<typeof structs.smpu>;
        const own = hex(envelope.subarray(34, 50)) === hex(me.uid);
        const open = isPartner(envelope.subarray(50, 66)) && this.#known.partnerAsked && this.#known.mine === 'open';
        return own && open ? 202 : 403;
      }
      case 'fact1':
        return this.#fact1Code(values as Values<typeof structs.fact1>);
      case 'fact2':
        if (this.#known.here.mistypes === 0) return 409;
        this.#known.here.mistypes--;
        return 401;
      case 'rcod':
        if (!this.#isProof(values as Values<typeof structs.rcod>)) return 401;
        this.#known.codes = []; // new ones, that nobody notes
        return 200;
      case 'acct':
        return 200;
      case 'rvok':
        return isZero((values as Values<typeof structs.rvok>).session) ? 200 : 404;
      default:
        return 403; // of rooms: there is none, and nobody draws the head of one
    }
  }

  /** Words and second factor, as what changes an account asks for them. */
  #isProof({ words, factor, code }: Values<typeof structs.dlac>): boolean {
    return hex(nodeSync.sha256(words)) === this.#known.wordsHash && factor !== 3 && this.#proves(factor, code);
  }
}
