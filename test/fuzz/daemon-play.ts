/** A client that does what it draws, and says of each struct beforehand what SPEC 3.5, 6 and 7 make of it. */
import { setImmediate as soon } from 'node:timers/promises';
import { concat, hex, Status, structs, type PasswordClient, type Struct } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { idKey } from '../../src/server/keys.js';
import { noSecurity } from '../../src/store/store.js';
import type { Draws } from '../support/draws.js';
import { must, Wrong } from '../support/fuzz.js';
import type { RawConnection } from '../support/raw.js';
import { Dues, type Due } from './daemon-dues.js';
import { Known } from './daemon-known.js';
import { headOf } from './daemon-model.js';
import { Sends } from './daemon-sends.js';
import type { FuzzedDaemon } from './daemon-server.js';
import { PATIENCE_MS, patiently, Wire } from './daemon-wire.js';
import { noise } from './struct-draws.js';

export async function play(
  daemon: FuzzedDaemon,
  draws: Draws,
  passwords: PasswordClient,
  turns: number,
  connections: number,
): Promise<void> {
  const known = await Known.begin(daemon, passwords);
  await new Play(known, draws).run(turns, connections);
  await known.end();
}

class Play {
  readonly #known: Known;
  readonly #draws: Draws;
  readonly #sends: Sends;
  readonly #dues: Dues;

  constructor(known: Known, draws: Draws) {
    this.#known = known;
    this.#draws = draws;
    this.#sends = new Sends(known, draws);
    this.#dues = new Dues(known, draws);
  }

  get #wire(): Wire {
    return this.#known.wire;
  }

  async run(turns: number, connections: number): Promise<void> {
    const known = this.#known;
    const { daemon, partner } = known;
    const { recipientEnc, recipientSig } = daemon.keys;
    const rest = {
      enc: recipientEnc.modulus,
      sig: recipientSig.modulus,
      record: nodeSync.random(192),
      words: nodeSync.random(32),
      created: Date.now(),
      security: noSecurity,
    };
    await daemon.store.createAccount({ ...partner, ...rest });
    let left = connections;
    for (let turn = 0; turn < turns; turn++) {
      if (known.state === 'closed') {
        if (left-- === 0) return;
        await this.#connect();
      }
      if (this.#draws.chance(0.03)) this.#leave();
      else await this.#turn();
      must(daemon.troubles.length === 0, () => `the daemon is in trouble: ${String(daemon.troubles[0])}`);
    }
    if (known.state === 'closed') return;
    if (!['proving', 'words', 'recovering'].includes(known.state)) await this.#exchange([this.#sends.unknown()]);
    this.#leave();
  }

  // ---- the connection

  async #connect(): Promise<void> {
    const { daemon } = this.#known;
    if (this.#draws.chance(0.1)) await this.#stranger();
    const raw = daemon.connect();
    const wire = new Wire(raw, (answer) => {
      this.#switch(raw, answer);
    });
    must((await patiently(raw.handshake(daemon.linked), 'an ACK'))?.session !== undefined, 'no session');
    this.#known.connected(wire);
  }

  /** Nothing that is no HELLO gets a byte. */
  async #stranger(): Promise<void> {
    const { daemon } = this.#known;
    const raw = daemon.connect();
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
      void raw.handshake(daemon.linked, { ...late, hello });
    }
    await patiently(raw.closed, 'the end of a stranger');
    must(raw.bytesReceived === 0, 'a stranger got bytes');
  }

  #leave(): void {
    this.#wire.raw.close();
    this.#known.state = 'closed';
  }

  /** The answer that finishes a login is the last frame under the old key. */
  #switch(raw: RawConnection, answer: Uint8Array): void {
    const { login } = this.#known.here;
    if (!login?.s2 || !login.sessionKey || !login.block) throw new Wrong('a login was finished that was not proven');
    login.transcript.add(answer);
    const secret = concat(login.s2, login.sessionKey);
    const th3 = login.transcript.hash(nodeSync, raw.session.th2);
    raw.authenticated(secret, th3, login.block, this.#known.own.enc);
  }

  // ---- one turn

  async #turn(): Promise<void> {
    const { state, partner } = this.#known;
    const done = [...this.#known.done.values()];
    if (state === 'ready' && done.length > 0 && this.#draws.chance(0.25)) {
      await this.#exchange([this.#draws.pick(done).bytes]);
      await this.#exchange([this.#sends.letter(partner.uid)]); // what it must not have changed
      return;
    }
    const many = this.#draws.chance(0.15) ? 2 + this.#draws.below(3) : 1;
    const frames: Uint8Array[] = [];
    for (let n = 0; n < many; n++) frames.push(await this.#frame());
    await this.#exchange(frames);
  }

  async #frame(): Promise<Uint8Array> {
    const sends = this.#sends;
    const draw = this.#draws.below(20);
    if (draw < 12) return sends.sensible();
    if (draw < 17) return sends.misplaced();
    if (draw < 19) return sends.malformed(await sends.sensible());
    return sends.malformed(sends.misplaced());
  }

  /** Sends all of these at once, then waits for all that is due to them. */
  async #exchange(frames: readonly Uint8Array[]): Promise<void> {
    const known = this.#known;
    const { raw } = this.#wire;
    const before = raw.bytesReceived;
    const dues: { readonly due: Due; readonly bytes: Uint8Array }[] = [];
    let ends = false;
    /* Answered, and then ended: nothing that is behind is looked at. */
    let closes = false;
    for (const bytes of frames) {
      const due = ends || closes ? 'nothing' : this.#dues.of(bytes, dues.length < frames.length - 1);
      dues.push({ due, bytes });
      if (due === 'end') ends = true;
      else if (due !== 'nothing') known.state = due.next ?? known.state;
      if (known.state === 'closed') closes = true;
    }
    this.#wire.send(frames);
    if (ends) {
      await patiently(raw.closed, `the end, after ${namesOf(frames)}`);
      /* Of what came before in the same write the answers may be lost. */
      must(frames.length > 1 || raw.bytesReceived === before, () => `bytes before the end, after ${namesOf(frames)}`);
      known.state = 'closed';
      await this.#begunIsDone();
      return;
    }
    for (const [n, { due, bytes }] of dues.entries()) {
      if (due === 'nothing' || due === 'end') continue;
      /* What ends the connection with its own answer may be quicker than what came before it in the same write. */
      const isBefore = closes && dues.slice(n + 1).some((later) => later.due !== 'nothing');
      await this.#settled(bytes, due, isBefore);
    }
    for (const { opcode, header } of this.#wire.left)
      must(opcode < 100_000 && header.status !== Status.error, () => `an answer too many, to ${namesOf(frames)}`);
  }

  /** What was proven goes on behind the end of its connection: an account is made, or its keys change. What comes next meets that. */
  async #begunIsDone(): Promise<void> {
    const { registered, daemon, me, keys } = this.#known;
    if (!registered) return;
    for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await soon()) {
      const account = await daemon.store.accountByUid(me.uid);
      if (!account || hex(account.enc) !== hex(keys.enc)) continue;
      await daemon.context.logins.inTurn(idKey(account.uid), () => Promise.resolve()); // the former keys are nobody's by now
      return;
    }
    throw new Wrong('the account is not there, or has not the keys that were proven');
  }

  async #settled(bytes: Uint8Array, due: Exclude<Due, string>, mayEnd: boolean): Promise<void> {
    const { opcode, step, id } = headOf(bytes);
    const what = `${nameOf(bytes)} in ${this.#known.state}`;
    const found = await this.#wire.answer(Buffer.from(id, 'hex'), what);
    if (!found && mayEnd) return;
    must(found !== undefined, `the connection ends instead of an answer to ${what}`);
    const { header } = found;
    must(header.code === due.code, () => `${what} gets ${String(header.code)}, SPEC says ${String(due.code)}`);
    must(found.opcode === opcode && found.step === step, () => `${what}: opcode and step of the answer`);
    const several = header.code === 200 && ['crea', 'pass', 'rcov'].includes(nameOf(bytes).slice(0, 4));
    const status = header.code >= 400 ? 2 : header.code < 200 ? 1 : several ? 3 : 0;
    must(header.status === status, () => `${what} gets the status ${String(header.status)}`);
    await due.learn?.(found);
  }
}

function nameOf(bytes: Uint8Array): string {
  const { opcode, step } = headOf(bytes);
  const struct = Object.values(structs).find((one: Struct) => one.opcode === opcode && one.step === step);
  return struct?.name ?? `${String(opcode)}/${String(step)}`;
}

const namesOf = (frames: readonly Uint8Array[]): string => frames.map(nameOf).join(', ');
