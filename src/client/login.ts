/** Registration and login over a link (SPEC 6). */
import {
  canonicalPassword,
  Code,
  concat,
  decode,
  fileKeys,
  isPlausibleModulus,
  keysMessage,
  Label,
  LoginTranscript,
  loginMessage,
  OPAQUE_KE3,
  possession,
  RANDOM,
  structs,
  wordsProof,
  type Struct,
  type Values,
} from '../../protocol/index.js';
import { ClientError, error, limitedFor } from './errors.js';
import { sealIdentity, stretchNew, type Me, type Secrets } from './identity.js';
import type { Reply } from './answers.js';
import type { Link } from './link.js';
import type { ClientPorts } from './ports.js';

/** How `pass` proves the second factor. */
const Factor = { none: 0, grant: 3 } as const;

export interface SessionGrant {
  readonly grant: Uint8Array;
  /** ms since 1970: the session's end */
  readonly ends: number;
}

function read<S extends Struct>(reply: Reply, struct: S): Values<S> {
  const decoded = decode(struct, reply.struct);
  if (decoded.problem) throw error('protocol', struct.name);
  return decoded.values;
}

/** What a refusal of a login or registration means to a person. */
function refusal(reply: Reply, name: string, what: string): ClientError {
  switch (reply.code) {
    case Code.authentication:
      return error('login-refused', name);
    case Code.conflict:
      return error('name-taken', name);
    case Code.malformed:
      return error('keys-refused');
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

/**
 * Makes an account: keys, the OPAQUE record, proof that both private keys are here.
 * @param keep gets the sealed identity before the daemon is asked to finish; resolves when it is on the disk
 * @throws ClientError `name-taken` and what `refusal` and the link give
 */
export async function register(
  ports: ClientPorts,
  link: Link,
  name: string,
  secrets: Secrets,
  keep: (identity: Uint8Array) => Promise<void>,
): Promise<Me> {
  const { crypto } = ports;
  const { sync, asymmetric, password } = crypto;
  const [enc, sig, stretched] = await Promise.all([
    crypto.keys.generate(),
    crypto.keys.generate(),
    stretchNew(crypto, secrets),
  ]);
  if (!isPlausibleModulus(enc.modulus) || !isPlausibleModulus(sig.modulus)) throw error('keys-refused');
  const typed = canonicalPassword(secrets.password);
  const started = password.registrationStart(typed);
  const first = await link.request(structs.crea1, {
    name,
    enc: enc.modulus,
    sig: sig.modulus,
    opaque: started.request,
  });
  if (first.isError) throw refusal(first, name, 'the registration');
  const { uid, block, opaque } = read(first, structs.crea1Answer);
  const p = await asymmetric.oaepOpen(enc, Label.pop, block);
  const finished = password.registrationFinish(typed, started.state, opaque);
  if (p?.length !== RANDOM || !finished) throw error('protocol', 'crea');
  const { th2 } = link;
  const { k, w } = stretched;
  const me: Me = { name, uid, enc, sig, password: typed, w, stateKey: fileKeys(sync, k, w).state };
  await keep(sealIdentity(crypto, ports.linked.network, me, stretched));
  const second = await link.request(structs.crea2, {
    mac: possession(sync, p, th2, finished.record),
    signature: await asymmetric.pssSign(sig, Label.keys, keysMessage(th2, name, enc.modulus, sig.modulus)),
    record: finished.record,
    words: sync.sha256(wordsProof(sync, finished.exportKey, w)),
  });
  if (second.isError) throw refusal(second, name, 'the registration');
  return me;
}

/**
 * @param grant of an earlier login of this session, if any
 * @throws ClientError `login-refused`, `wrong-password`, `limited`, and what the link gives
 */
export async function login(
  ports: ClientPorts,
  link: Link,
  me: Me,
  grant: Uint8Array | undefined,
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
  const third = await link.request(
    structs.pass,
    {
      words: wordsProof(sync, finished.exportKey, me.w),
      factor: grant ? Factor.grant : Factor.none,
      code: grant ?? new Uint8Array(0),
    },
    {
      sent: both.sent,
      atOnce: (reply) => {
        transcript.add(reply.struct);
        if (reply.isError) return;
        link.authenticated(concat(s2, finished.sessionKey), transcript.hash(sync, link.th2), block, me.enc);
      },
    },
  );
  if (third.isError) throw refusal(third, me.name, 'the login');
  const values = read(third, structs.passAnswer);
  return { grant: values.grant, ends: values.ends };
}
