/** Registration and login over a link (SPEC 6). */
import {
  Code,
  concat,
  decode,
  FULL_NAME_MAX,
  INVITATION_CODE,
  keysMessage,
  Label,
  LoginTranscript,
  loginMessage,
  OPAQUE_KE3,
  possession,
  RANDOM,
  readEmail,
  readFullName,
  readTypedCode,
  structs,
  utf8,
  wordsProof,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { ClientError, error, limitedFor } from './errors.js';
import { sealIdentity, type Draft, type Me } from './identity.js';
import { isFailure, type Reply } from './answers.js';
import type { Link } from './link.js';
import type { ClientPorts } from './ports.js';
import { FactorProof, noFactor, SecondFactor, type FactorCode } from './second-factor.js';

export interface SessionGrant {
  /** of the words: what shows the daemon during the session that the person is there (SPEC 6.8) */
  readonly proof: Uint8Array;
  readonly grant: Uint8Array;
  /** ms since 1970: the session's end */
  readonly ends: number;
  /** that the account asks for, of SecondFactor */
  readonly factor: number;
}

export function read<S extends Struct>(reply: Reply, struct: S): Values<S> {
  const decoded = decode(struct, reply.struct);
  if (decoded.problem) throw error('protocol', struct.name);
  return decoded.values;
}

/** What a refusal of a login or registration means to a person. */
export function refusal(reply: Reply, name: string, what: string): ClientError {
  switch (reply.code) {
    case Code.authentication:
      return error('login-refused', name);
    case Code.forbidden:
      return error('disabled', name);
    case Code.conflict:
      return error('name-taken', name);
    case Code.limited:
      return limitedFor(reply.wait);
    case Code.internal:
    case Code.unavailable:
    case Code.storage:
      return error('unavailable', String(reply.code));
    default:
      return error('refused', what, String(reply.code));
  }
}

/** What somebody brings and tells besides name and secrets. */
export interface Application {
  /** as typed */
  readonly invitation?: string;
  readonly fullName?: string;
  readonly email?: string;
  /** Gets the code that was sent to `email`, as typed. @param again the one before was wrong */
  readonly askCode?: (again: boolean) => Promise<string>;
}

interface Applied {
  readonly invitation: Uint8Array;
  readonly fullName: Uint8Array;
  readonly email: Uint8Array;
}

/** @throws ClientError `bad-invitation`, `bad-full-name`, `bad-email`, `no-code` */
export function checkApplication(application: Application): Applied {
  const { invitation = '', askCode } = application;
  const code = invitation === '' ? new Uint8Array(0) : readTypedCode(invitation, INVITATION_CODE);
  if (!code) throw error('bad-invitation');
  const fullName = utf8((application.fullName ?? '').normalize('NFC').trim());
  if (readFullName(fullName) === undefined) throw error('bad-full-name', String(FULL_NAME_MAX));
  const email = utf8((application.email ?? '').trim());
  if (readEmail(email) === undefined || (application.email !== undefined && email.length === 0))
    throw error('bad-email');
  if (email.length > 0 && !askCode) throw error('no-code');
  return { invitation: code, fullName, email };
}

/** What a refusal of a registration means. Our struct and its group element are sound: a 400 is about the keys (SPEC 6.2). */
function turnedAway(reply: Reply, name: string, { invitation, email }: Applied): ClientError {
  if (reply.code === Code.forbidden) return error(invitation.length > 0 ? 'invitation-refused' : 'invitation-needed');
  if (reply.header.step === 2 && email.length > 0) {
    if (reply.code === Code.malformed) return error('no-mail');
    if (reply.code === Code.unavailable) return error('mail-failed');
  }
  if (reply.code === Code.malformed) return error('keys-refused');
  return refusal(reply, name, 'the registration');
}

/** Where the sealed identity is while nobody knows whether the account exists. */
export interface Safe {
  /** Resolves when it is on the disk: then the daemon is asked to finish. */
  keep(identity: Uint8Array): Promise<void>;
  /** The daemon said no: what this attempt kept is of no use. */
  drop(): Promise<void>;
}

/**
 * Makes an account: the OPAQUE record, proof that both private keys are here, a code where an address is told.
 * @throws ClientError `name-taken`, `keys-refused`, `invitation-needed`, `invitation-refused`, `no-mail`, `mail-failed`, `wrong-code` and
 * what `checkApplication`, `refusal` and the link give
 */
export async function register(
  ports: ClientPorts,
  link: Link,
  name: string,
  { me: own, stretched }: Draft,
  application: Application,
  safe: Safe,
): Promise<Me> {
  const { crypto } = ports;
  const { sync, asymmetric, password } = crypto;
  const applied = checkApplication(application);
  const { invitation, fullName, email } = applied;
  const { enc, sig, w, password: typed } = own;
  const started = password.registrationStart(typed);
  const opaqueStart = { name, enc: enc.modulus, sig: sig.modulus, opaque: started.request };
  const first = await link.request(structs.crea1, { ...opaqueStart, invitation });
  if (first.isError) throw turnedAway(first, name, applied);
  const { uid, block, opaque } = read(first, structs.crea1Answer);
  const p = await asymmetric.oaepOpen(enc, Label.pop, block);
  const finished = password.registrationFinish(typed, started.state, opaque);
  if (p?.length !== RANDOM || !finished) throw error('protocol', 'crea');
  const { th2 } = link;
  const me: Me = { ...own, name, uid };
  const identity = sealIdentity(crypto, ports.linked.network, me, stretched);
  const proofs = {
    mac: possession(sync, p, th2, finished.record),
    signature: await asymmetric.pssSign(sig, Label.keys, keysMessage(th2, name, enc.modulus, sig.modulus)),
    record: finished.record,
    words: sync.sha256(wordsProof(sync, finished.exportKey, w)),
  };
  const finish = async (ask: () => Promise<Reply>): Promise<ClientError | undefined> => {
    await safe.keep(identity);
    const reply = await ask();
    if (!reply.isError) return undefined;
    /* After a failure of its own nobody knows what the daemon has kept. */
    if (!isFailure(reply.code)) await safe.drop();
    return reply.header.step === 3 && reply.code === Code.authentication
      ? error('wrong-code')
      : turnedAway(reply, name, applied);
  };
  const prove = (): Promise<Reply> => link.request(structs.crea2, { ...proofs, fullName, email });
  if (email.length === 0) {
    const why = await finish(prove);
    if (why) throw why;
    return me;
  }
  const second = await prove();
  if (second.isError) throw turnedAway(second, name, applied);
  if (second.code !== Code.mailed) throw error('protocol', 'crea');
  await confirm(link, application, finish);
  return me;
}

/** Wrong codes that the daemon takes; then the registration is over (SPEC 6.2). */
const CODE_TRIES = 5;

/** Asks for the code that came by mail until it is right. @throws ClientError `wrong-code` and what `finish` gives */
async function confirm(
  link: Link,
  { askCode }: Application,
  finish: (ask: () => Promise<Reply>) => Promise<ClientError | undefined>,
): Promise<void> {
  for (let tried = 0; ;) {
    const code = mailCode((await askCode?.(tried > 0)) ?? '');
    /* What can't be one costs no try at the daemon, but does not go on for ever either. */
    const why = code ? await finish(() => link.request(structs.crea3, { code })) : error('wrong-code');
    if (!why) return;
    if (why.code !== 'wrong-code' || ++tried >= CODE_TRIES) throw why;
  }
}

/** Digits as typed; undefined where it can't be a code. */
function mailCode(typed: string): Uint8Array | undefined {
  const digits = typed.replace(/\s/g, '');
  return /^[0-9]{8}$/.test(digits) ? utf8(digits) : undefined;
}

/**
 * @param grant of an earlier login of this session, if any
 * @param typed proves the second factor, where the account has one and the grant does not stand for it
 * @param accepted called when the daemon took it, before any event behind its answer
 * @throws ClientError `login-refused`, `limited`, `code-needed`, `mail-code-needed`, `wrong-code`, and what the link gives
 */
export async function login(
  ports: ClientPorts,
  link: Link,
  me: Me,
  grant: Uint8Array | undefined,
  typed: FactorCode | undefined,
  accepted: () => void = () => undefined,
): Promise<SessionGrant> {
  const { sync, asymmetric, password } = ports.crypto;
  const transcript = new LoginTranscript();
  const both = {
    sent: (bytes: Uint8Array) => {
      transcript.add(bytes);
    },
    atOnce: (reply: Reply) => {
      transcript.add(reply.struct);
    },
  };
  const started = password.loginStart(me.password);
  const signature = await asymmetric.pssSign(me.sig, Label.login, loginMessage(link.th2, me.name, started.ke1));
  const first = await link.request(structs.auth1, { name: me.name, signature, ke1: started.ke1 }, both);
  if (first.isError) throw refusal(first, me.name, 'the login');
  const { block, ke2 } = read(first, structs.auth1Answer);
  const finished = password.loginFinish(me.password, started.state, ke2);
  const second = await link.request(structs.auth2, { ke3: finished?.ke3 ?? sync.random(OPAQUE_KE3) }, both);
  /* The password opened our own files, so it is the daemon that has another account under this name. */
  if (!finished) throw error('login-refused', me.name);
  if (second.isError) throw refusal(second, me.name, 'the login');
  const s2 = await asymmetric.oaepOpen(me.enc, Label.s2, block);
  if (s2?.length !== RANDOM) throw error('protocol', 'auth');
  const { factor } = read(second, structs.auth2Answer);
  const proof = wordsProof(sync, finished.exportKey, me.w);
  const shown = typed ?? (grant ? { factor: FactorProof.grant, code: grant } : noFactor);
  if (factor !== SecondFactor.none && shown.factor === FactorProof.none)
    throw await askForCode(link, me, factor, proof);
  const third = await link.request(
    structs.pass,
    { words: proof, ...shown },
    {
      sent: both.sent,
      atOnce: (reply) => {
        transcript.add(reply.struct);
        if (reply.isError) return;
        link.authenticated(concat(s2, finished.sessionKey), transcript.hash(sync, link.th2), block, me.enc);
        accepted();
      },
    },
  );
  if (third.isError && third.code === Code.authentication && factor !== SecondFactor.none) {
    /* The words opened our own files: it is what stood for the second factor. A session that ended asks for it anew. */
    throw shown.factor === FactorProof.grant ? error('code-needed', me.name) : error('wrong-code');
  }
  if (third.isError) throw refusal(third, me.name, 'the login');
  const values = read(third, structs.passAnswer);
  return { proof, grant: values.grant, ends: values.ends, factor };
}

/** Why the login can't go on without a code; one that comes by mail is sent now. */
async function askForCode(link: Link, { name }: Me, factor: number, words: Uint8Array): Promise<ClientError> {
  if (factor === SecondFactor.totp) return error('code-needed', name);
  const reply = await link.request(structs.mcod, { words });
  return reply.code === Code.mailed ? error('mail-code-needed', name) : unsent(reply, name);
}

/** Why no code came by mail. */
export function unsent(reply: Reply, name: string): ClientError {
  if (reply.code === Code.notFound || reply.code === Code.unavailable) return error('mail-unsent', name);
  return refusal(reply, name, 'to send a code');
}
