/** Another password, or other words (SPEC 6.11): the account is never without secrets that open it, whatever breaks. */
import { canonicalPassword, decode, structs, wordsProof } from '../../protocol/index.js';
import { isFailure, type Reply } from './answers.js';
import type { Desk } from './desk.js';
import { error, storageError } from './errors.js';
import {
  checkSecrets,
  IDENTITY_FILE,
  KEYS_FILE,
  NEXT_FILE,
  openIdentity,
  sealIdentity,
  stretchNew,
  type Candidate,
  type Secrets,
} from './identity.js';
import type { Link } from './link.js';
import { proofFor, proofRefusal } from './proof.js';
import type { Session } from './session.js';
import { candidateOf, mustBeSettled, settle } from './unsettled.js';

const WHAT = 'the change';

export class SecretsChange {
  readonly #desk: Desk;
  readonly #session: Session;

  constructor(desk: Desk, session: Session) {
    this.#desk = desk;
    this.#session = session;
  }

  /**
   * @param present what opens the profile now
   * @param code proves the second factor, where the account has one
   * @throws ClientError `wrong-password`, `wrong-words`, `weak-password`, `bad-words`, those of `proofFor`, `wrong-code`;
   * `unsettled` where nobody knows whether it was done
   */
  change(present: Secrets, next: Secrets, code?: string): Promise<void> {
    return this.#desk.inOwnTurn(() => this.#change(present, next, code));
  }

  async #change(present: Secrets, next: Secrets, code: string | undefined): Promise<void> {
    const { ports } = this.#desk;
    const { crypto, storage, linked } = ports;
    const { sync, password } = crypto;
    checkSecrets(next);
    await mustBeSettled(this.#desk, NEXT_FILE, KEYS_FILE);
    const file = await storage.read(IDENTITY_FILE);
    if (!file) throw error('damaged-identity');
    await openIdentity(crypto, linked.network, file, present);
    const stretched = await stretchNew(crypto, next);
    const proof = await proofFor(this.#session, code);
    const link = this.#session.link;
    if (!link) throw this.#session.trouble ?? error('offline');

    const typed = canonicalPassword(next.password);
    const started = password.registrationStart(typed);
    const first = await link.request(structs.pswd1, { opaque: started.request });
    if (first.isError) throw proofRefusal(first, this.#session, code, WHAT);
    const made = password.registrationFinish(typed, started.state, responseOf(first));
    if (!made) throw error('protocol', 'pswd');
    const words = wordsProof(sync, made.exportKey, stretched.w);

    /* A login may have settled something meanwhile: what is sealed are the keys of now. */
    await mustBeSettled(this.#desk, NEXT_FILE, KEYS_FILE);
    const { me } = this.#desk;
    /* From here on, until the daemon's word, either pair may hold. */
    await storage.replace(NEXT_FILE, sealIdentity(crypto, linked.network, me, stretched)).catch((thrown: unknown) => {
      throw storageError(thrown);
    });
    const former = candidateOf({ ...me, file: IDENTITY_FILE });
    const newer: Candidate = { ...former, file: NEXT_FILE, password: typed, w: stretched.w };
    me.unsettled = [newer, former];
    const fields = { ...proof, record: made.record, newWords: sync.sha256(words) };
    const reply = await this.#ask(link, fields);
    /* Before the disk, which may fail: the daemon asks for the new words from now on. */
    if (!reply.isError) this.#session.changed({ proof: words });
    await settle(storage, me, reply.isError ? former : newer);
    if (reply.isError) throw proofRefusal(reply, this.#session, code, WHAT);
  }

  /** A clear answer, or none: then the next login says which of the two holds. */
  async #ask(link: Link, fields: Parameters<typeof link.request<typeof structs.pswd2>>[1]): Promise<Reply> {
    const reply = await link.request(structs.pswd2, fields).catch((thrown: unknown) => {
      this.#desk.ports.log(`the change of secrets: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      throw error('unsettled');
    });
    if (!isFailure(reply.code)) return reply;
    link.fail(error('unavailable', String(reply.code)));
    throw error('unsettled');
  }
}

function responseOf(reply: Reply): Uint8Array {
  const decoded = decode(structs.pswd1Answer, reply.struct);
  if (decoded.problem) throw error('protocol', 'pswd');
  return decoded.values.opaque;
}
