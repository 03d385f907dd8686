/** What a play sends: mostly what is sensible in its state, and whatever else SPEC has an answer to. */
import {
  concat,
  hex,
  Label,
  loginMessage,
  LoginTranscript,
  renewalMac,
  signFormer,
  signKeyBundle,
  STRUCT,
  structs,
  utf8,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import type { Draws } from '../support/draws.js';
import { encodeCommand } from '../support/raw.js';
import { uninvited, untold } from '../support/registration.js';
import type { Known } from './daemon-known.js';
import { commandLine } from './daemon-model.js';
import { readBySpec } from './spec-codec.js';
import { damage, drawName, drawStruct, lineOf, noise } from './struct-draws.js';

const rsa = { sync: nodeSync, asymmetric: nodeAsymmetric };

export class Sends {
  readonly #known: Known;
  readonly #draws: Draws;

  constructor(known: Known, draws: Draws) {
    this.#known = known;
    this.#draws = draws;
  }

  #command<S extends Struct>(struct: S, values: Values<S>): Uint8Array {
    return encodeCommand(struct, values, noise(this.#draws, 16));
  }

  /** An opcode that nobody has. */
  unknown(): Uint8Array {
    const bytes = this.#command(structs.quit, {});
    bytes.set([0, 1, this.#draws.below(256), 200], 2);
    return bytes;
  }

  misplaced(): Uint8Array {
    if (this.#draws.chance(0.15)) return this.unknown();
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
  malformed(sound: Uint8Array): Uint8Array {
    const own = commandLine(sound) ?? lineOf(structs.bloc);
    for (let tries = 0; tries < 20; tries++) {
      const bytes = damage(this.#draws, own, sound);
      if (bytes.length === STRUCT && readBySpec(own, bytes).step !== undefined) return bytes;
    }
    return sound;
  }

  async sensible(): Promise<Uint8Array> {
    switch (this.#known.state) {
      case 'open':
        if (this.#draws.chance(0.15)) return this.#rcov1();
        return this.#draws.chance(this.#known.registered ? 0.1 : 0.8) ? this.#crea1() : this.#auth1();
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
        const ke3 = this.#draws.chance(0.85) ? this.#known.here.login?.ke3 : undefined;
        return this.#command(structs.auth2, { ke3: ke3 ?? noise(this.#draws, 64) });
      }
      case 'words':
        return this.#draws.chance(this.#known.byMail && !this.#known.code ? 0.7 : 0.1) ? this.#mcod() : this.#pass();
      case 'recovering': {
        const proof = this.#known.here.recovery?.proof;
        if (proof && this.#draws.chance(0.8)) return this.#command(structs.rcov2, proof);
        return drawStruct(this.#draws, structs.rcov2).slice(0, STRUCT);
      }
      default:
        return this.#draws.chance(0.05) ? this.#mcod() : this.#conversation();
    }
  }

  #crea1(): Uint8Array {
    const { state, request } = this.#known.passwords.registrationStart(this.#known.password);
    this.#known.here.requests.set(hex(request), { state, request });
    const { enc, sig } = this.#known.keys;
    const name = this.#draws.chance(0.85) ? this.#known.me.name : this.#known.partner.name;
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
        if (!this.#known.registered)
          return this.#command(structs.crea1, { name, enc, sig, opaque: request, ...uninvited });
        const other = this.#known.daemon.keys.server.modulus;
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
    const proof = this.#known.here.registration?.proof ?? noise(this.#draws, 512);
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

  #told(): Pick<Values<typeof structs.crea2>, 'fullName' | 'email'> {
    const fullName = this.#draws.pick(['', 'Zoë', 'Z'.repeat(96), 'Zoë', 'Z\n'].map(utf8));
    const other = this.#draws.pick(['me@mail', 'a@b@mail.example', 'a@mail.example\r\nBcc: b@mail.example']);
    const email = this.#draws.pick(['', this.#known.address, this.#known.address, this.#known.address, other]);
    return this.#draws.chance(0.2) ? untold : { fullName, email: utf8(email) };
  }

  #crea3(): Uint8Array {
    const right = utf8(this.#known.daemon.mailed.get(this.#known.address) ?? '');
    return this.#command(structs.crea3, { code: this.#draws.chance(0.4) ? right : noise(this.#draws, 8) });
  }

  #mcod(): Uint8Array {
    return this.#command(structs.mcod, { words: this.#draws.chance(0.8) ? this.#known.words : noise(this.#draws, 32) });
  }

  async #auth1(): Promise<Uint8Array> {
    const typed = this.#draws.chance(0.9) ? this.#known.password : 'another';
    const begun = this.#known.passwords.loginStart(typed);
    const name = this.#draws.chance(0.9) ? this.#known.me.name : drawName(this.#draws);
    const signed = this.#draws.chance(0.9);
    const message = loginMessage(this.#known.wire.session.th2, name, begun.ke1);
    const signature = signed
      ? await nodeAsymmetric.pssSign(this.#known.own.sig, Label.login, message)
      : noise(this.#draws, 256);
    const ke1 = this.#draws.chance(0.9) ? begun.ke1 : new Uint8Array(96).fill(0xff);
    const bytes = this.#command(structs.auth1, { name, signature, ke1 });
    const transcript = new LoginTranscript();
    transcript.add(bytes);
    const signer = signed && name === this.#known.me.name ? this.#known.own : undefined;
    if (ke1 === begun.ke1) this.#known.here.logins.set(hex(ke1), { begun, typed, signer, real: false, transcript });
    return bytes;
  }

  #rcov1(): Uint8Array {
    const typed = this.#draws.chance(0.9) ? this.#known.password : 'another';
    const begun = this.#known.passwords.loginStart(typed);
    const name = this.#draws.chance(0.8)
      ? this.#known.me.name
      : this.#draws.pick([this.#known.partner.name, drawName(this.#draws)]);
    const own = this.#draws.chance(0.7) ? this.#known.codes[0] : undefined;
    const code = own ?? noise(this.#draws, 10);
    const [enc, sig] = [this.#known.next.enc.modulus, this.#known.next.sig.modulus];
    const ke1 = this.#draws.chance(0.9) ? begun.ke1 : new Uint8Array(96).fill(0xff);
    if (ke1 === begun.ke1) this.#known.here.recoveries.set(hex(ke1), { begun, typed, code, name, real: false });
    return this.#command(structs.rcov1, { name, code, enc, sig: this.#draws.chance(0.9) ? sig : enc, ke1 });
  }

  /** What shows that whoever asks is there. */
  #proof(): Values<typeof structs.dlac> {
    const words = this.#draws.chance(0.85) ? this.#known.words : noise(this.#draws, 32);
    return { words: words.length === 32 ? words : noise(this.#draws, 32), factor: 0, code: new Uint8Array(0) };
  }

  async #rkey2(): Promise<Uint8Array> {
    const p = this.#known.here.renewal?.p;
    const { enc, sig } = this.#known.next;
    const unsigned = { ...this.#known.me, enc: enc.modulus, sig: sig.modulus, time: 7, suite: 1 };
    const bundle = await signKeyBundle(rsa, sig, unsigned);
    const former = await signFormer(rsa, this.#known.own.sig, bundle);
    const sound = renewalMac(nodeSync, p ?? noise(this.#draws, 32), this.#known.wire.session.th2, bundle);
    const mac = this.#draws.chance(0.9) ? sound : noise(this.#draws, 32);
    const { time, suite, signature } = bundle;
    const bytes = this.#command(structs.rkey2, { ...this.#proof(), mac, time, suite, signature, former });
    if (p && mac === sound) this.#known.sound.add(hex(bytes));
    return bytes;
  }

  #pass(): Uint8Array {
    const words = this.#draws.chance(0.8) ? this.#known.words : noise(this.#draws, 32);
    const [factor, code] = this.#draws.pick([
      [0, new Uint8Array(0)],
      [0, new Uint8Array(0)],
      [3, this.#known.grant.length === 32 ? this.#known.grant : noise(this.#draws, 32)],
      [3, noise(this.#draws, 32)],
      [4, utf8(this.#known.code?.digits ?? '00000000')],
      [4, utf8(this.#known.code?.digits ?? '00000000')],
      [this.#draws.pick([1, 2, 4]), noise(this.#draws, 6)],
    ] as const);
    return this.#command(structs.pass, { words, factor, code });
  }

  #pswd1(): Uint8Array {
    const { state, request } = this.#known.passwords.registrationStart(this.#known.password);
    this.#known.here.requests.set(hex(request), { state, request });
    return this.#command(structs.pswd1, {
      opaque: this.#draws.chance(0.9) ? request : new Uint8Array(32).fill(0xff),
    });
  }

  #pswd2(): Uint8Array {
    const { record, words } = this.#known.registeredAnew ?? {
      record: noise(this.#draws, 192),
      words: noise(this.#draws, 32),
    };
    const isRight = this.#known.registeredAnew !== undefined && this.#draws.chance(0.8);
    return this.#command(structs.pswd2, {
      words: isRight ? this.#known.words : noise(this.#draws, 32),
      factor: this.#draws.chance(0.9) ? 0 : this.#draws.pick([1, 2, 3, 4]),
      code: noise(this.#draws, this.#draws.below(33)),
      record,
      newWords: nodeSync.sha256(words),
    });
  }

  letter(to: Uint8Array, from = this.#known.me.uid): Uint8Array {
    const envelope = noise(this.#draws, 1736);
    envelope.set(from, 34);
    envelope.set(to, 50);
    return this.#command(structs.smpu, { envelope });
  }

  async #conversation(): Promise<Uint8Array> {
    const draws = this.#draws;
    if (draws.chance(0.1)) {
      const keys = draws.chance(0.9) ? this.#known.next : this.#known.own;
      const [enc, sig] = [keys.enc.modulus, keys.sig.modulus];
      if (draws.chance(0.15)) return this.#command(structs.dlac, this.#proof());
      if (this.#known.here.renewal && draws.chance(0.7)) return this.#rkey2();
      return this.#command(structs.rkey1, { enc, sig: draws.chance(0.9) ? sig : enc });
    }
    const { uid, name } = this.#known.me;
    const bundle = { uid, name, ...this.#known.keys, time: Date.now(), suite: 1, signature: noise(draws, 256) };
    const changed = draws.chance(0.15)
      ? draws.pick([{ uid: noise(draws, 16) }, { name: 'other' }, { enc: noise(draws, 256) }])
      : {};
    const to = draws.pick([
      this.#known.partner.uid,
      this.#known.partner.uid,
      this.#known.partner.uid,
      noise(draws, 16),
    ]);
    const known = draws.pick([
      this.#known.partner.name,
      this.#known.partner.name,
      this.#known.partner.name,
      name,
      drawName(draws),
    ]);
    return draws.pick([
      () => this.#command(structs.jmpu, { to: known, ...bundle, ...changed }),
      () => this.#command(structs.ampu, { to, request: noise(draws, 32), ...bundle, ...changed }),
      () => this.#command(structs.dmpu, { to, request: noise(draws, 32) }),
      () => this.#command(structs.bloc, { uid: to }),
      () => this.#command(structs.keyq, { name: known }),
      () => this.letter(to, draws.chance(0.8) ? uid : to),
      () => this.letter(to),
      () =>
        this.#command(structs.ackd, { ids: Array.from({ length: draws.below(65) }, () => ({ id: noise(draws, 16) })) }),
      () => this.#security(),
      () => this.#pswd1(),
      () => (this.#known.here.passwordDue ? this.#pswd2() : this.#pswd1()),
      () => this.#pswd2(),
      () => (draws.chance(0.2) ? this.#command(structs.quit, {}) : this.letter(this.#known.partner.uid)),
    ])();
  }

  /** One's own account; nobody draws a code that counts. */
  #security(): Uint8Array {
    const draws = this.#draws;
    const words = draws.chance(0.7) ? this.#known.words : noise(draws, 32);
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
}
