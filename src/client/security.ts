/** What a person does about their own account at the daemon: second factor, recovery codes, sessions (SPEC 6.8, 6.9). */
import {
  Code,
  decode,
  fromHex,
  fromUtf8,
  hex,
  ID,
  structs,
  typedCode,
  utf8,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import type { Reply } from './answers.js';
import type { AccountView, Commands } from './client.js';
import type { Desk } from './desk.js';
import { error, type ClientError } from './errors.js';
import type { Link } from './link.js';
import { proofFor, proofRefusal } from './proof.js';
import { readFactorCode, SecondFactor } from './second-factor.js';
import type { Session } from './session.js';

type Row = Values<typeof structs.acctAnswer>;

const factors = ['none', 'totp', 'mail'] as const;
/** A session's id as people type it: its beginning tells it from fifteen others. */
const SESSION_SHOWN = 8;

export class Security {
  readonly #desk: Desk;
  readonly #session: Session;
  /** What is being set up. */
  #begun: number = SecondFactor.none;

  constructor(desk: Desk, session: Session) {
    this.#desk = desk;
    this.#session = session;
  }

  async account(): Promise<AccountView> {
    const row = await this.#row();
    const current = hex(row.current);
    return {
      name: this.#desk.me.name,
      factor: factors[row.factor] ?? 'none',
      codes: row.codes,
      created: row.created,
      fullName: fromUtf8(row.fullName) ?? '',
      email: fromUtf8(row.email) ?? '',
      sessions: row.sessions.map(({ id, ends }) => ({
        id: hex(id).slice(0, SESSION_SHOWN),
        ends,
        current: hex(id) === current,
      })),
    };
  }

  /** @throws ClientError `code-needed`, `mail-code-needed`, where the account has a factor and no code was given */
  async begin(by: 'totp' | 'mail', code?: string, address = ''): Promise<Commands['factor-begin']['result']> {
    const kind = by === 'mail' ? SecondFactor.mail : SecondFactor.totp;
    const proof = await proofFor(this.#session, code);
    const email = utf8(address.trim());
    const reply = await this.#ask(structs.fact1, { kind, ...proof, email }, code);
    this.#begun = kind;
    if (reply.code === Code.mailed) return { kind: 'mail' };
    const { secret } = read(reply, structs.fact1Answer);
    const text = typedCode(secret).replaceAll('-', '').toUpperCase();
    return { kind: 'totp', secret: text, uri: this.#uri(text) };
  }

  /** As authenticators read it, most of all from a picture. SHA-1, six digits and 30 s are what they take where nothing is said. */
  #uri(secret: string): string {
    const issuer = encodeURIComponent(`Cadenas ${this.#desk.ports.linked.network}`);
    const label = `${issuer}:${encodeURIComponent(this.#desk.me.name)}`;
    return `otpauth://totp/${label}?secret=${secret}&issuer=${issuer}`;
  }

  /** @returns ten recovery codes, told this once */
  async confirm(typed: string): Promise<{ readonly codes: readonly string[] }> {
    const { code } = readFactorCode(typed);
    const reply = await this.#ask(structs.fact2, { code }, typed);
    this.#session.changed({ factor: this.#begun });
    return { codes: read(reply, structs.fact2Answer).codes.map((each) => typedCode(each.code)) };
  }

  async disable(code: string | undefined): Promise<void> {
    const proof = await proofFor(this.#session, code);
    await this.#ask(structs.fact1, { kind: SecondFactor.none, ...proof, email: new Uint8Array(0) }, code);
    this.#session.changed({ factor: SecondFactor.none });
  }

  /** Ten new recovery codes; those before count no more. */
  async renewCodes(code: string | undefined): Promise<{ readonly codes: readonly string[] }> {
    const reply = await this.#ask(structs.rcod, await proofFor(this.#session, code), code);
    return { codes: read(reply, structs.rcodAnswer).codes.map((each) => typedCode(each.code)) };
  }

  /** @param typed the beginning of a session's id; undefined: all others. @throws ClientError `no-session` */
  async revoke(typed: string | undefined): Promise<void> {
    if (typed === undefined) {
      await this.#ask(structs.rvok, { session: new Uint8Array(ID) });
      return;
    }
    const wanted = typed.toLowerCase();
    const { sessions } = await this.#row();
    const found = sessions.map(({ id }) => hex(id)).filter((id) => wanted !== '' && id.startsWith(wanted));
    if (found.length !== 1) throw error('no-session', typed);
    await this.#ask(structs.rvok, { session: fromHex(found[0] ?? '') });
  }

  #link(): Link {
    const { link } = this.#session;
    if (!link) throw this.#session.trouble ?? error('offline');
    return link;
  }

  async #row(): Promise<Row> {
    return read(await this.#ask(structs.acct, {}), structs.acctAnswer);
  }

  /** @param code that was typed for it */
  async #ask<S extends Struct>(struct: S, values: Values<S>, code?: string): Promise<Reply> {
    const reply = await this.#link().request(struct, values);
    if (reply.isError) throw refusal(reply, this.#session, code, struct);
    return reply;
  }
}

function read<S extends Struct>(reply: Reply, struct: S): Values<S> {
  const decoded = decode(struct, reply.struct);
  if (decoded.problem) throw error('protocol', struct.name);
  return decoded.values;
}

function refusal(reply: Reply, session: Session, code: string | undefined, { name }: Struct): ClientError {
  if (name === structs.fact2.name && reply.code === Code.conflict) return error('factor-not-begun');
  if (name === structs.fact1.name) {
    if (reply.code === Code.notFound) return error('no-mail-factor');
    if (reply.code === Code.conflict) return error('no-address');
    if (reply.code === Code.malformed) return error('bad-email');
    if (reply.code === Code.unavailable) return error('mail-failed');
  }
  return proofRefusal(reply, session, code, name);
}
