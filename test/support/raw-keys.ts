/** Recovery and renewal by the raw client, step by step. */
import {
  HASH,
  Label,
  recoveryMac,
  renewalMac,
  signFormer,
  signKeyBundle,
  Status,
  structs,
  SUITE_RSA,
  wordsProof,
  type KeyBundle,
  type Values,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { hurriedPasswords } from './passwords.js';
import { ports, type RawConnection, type RawUser, type Received } from './raw.js';
import { nextRsa } from './rsa-pairs.js';

/** The same person with other keys, and other words. */
export async function rekeyed(user: RawUser, w = nodeSync.random(HASH)): Promise<RawUser> {
  const [enc, sig] = await Promise.all([nextRsa(), nextRsa()]);
  return { ...user, enc, sig, w };
}

function bundleOf({ uid, name, enc, sig }: RawUser): Promise<KeyBundle> {
  const fields = { uid, name, enc: enc.modulus, sig: sig.modulus, time: Date.now(), suite: SUITE_RSA };
  return signKeyBundle(ports, sig, fields);
}

export interface RecoveryTry {
  readonly first: Received;
  /** sends the second step; undefined where the first was refused */
  readonly finish?: (change?: Partial<Values<typeof structs.rcov2>>) => Promise<Received>;
}

/** rcov1. @param next with the keys that are to be */
export async function beginRecovery(
  raw: RawConnection,
  next: RawUser,
  code: Uint8Array,
  typed = next.password,
): Promise<RecoveryTry> {
  const password = await hurriedPasswords();
  const begun = password.loginStart(typed);
  const { name, enc, sig } = next;
  const keys = { enc: enc.modulus, sig: sig.modulus };
  const first = await raw.ask(structs.rcov1, { name, code, ...keys, ke1: begun.ke1 });
  if (first.header.status === Status.error) return { first };
  const { uid, block, ke2 } = first.values as Values<typeof structs.rcov1Answer>;
  const p = await ports.asymmetric.oaepOpen(enc, Label.pop, block);
  if (!p) throw new Error('the block of rcov1 does not open');
  const opened = password.loginFinish(typed, begun.state, ke2);
  const { time, suite, signature, ...rest } = await bundleOf({ ...next, uid: uid.slice() });
  const words = opened ? nodeSync.sha256(wordsProof(nodeSync, opened.exportKey, next.w)) : nodeSync.random(HASH);
  const bundle = { ...rest, time, suite, signature };
  const { th2 } = raw.session;
  const mac = opened ? recoveryMac(nodeSync, p, opened.sessionKey, th2, words, bundle) : nodeSync.random(HASH);
  const ke3 = opened?.ke3 ?? nodeSync.random(64);
  return {
    first,
    finish: (change = {}) => raw.ask(structs.rcov2, { ke3, mac, words, time, suite, signature, ...change }),
  };
}

/** rkey, both steps, logged in. @param proof of the words */
export async function renew(
  raw: RawConnection,
  user: RawUser,
  next: RawUser,
  proof: Uint8Array,
  change: Partial<Values<typeof structs.rkey2>> = {},
): Promise<Received> {
  const first = await raw.ask(structs.rkey1, { enc: next.enc.modulus, sig: next.sig.modulus });
  if (first.header.status === Status.error) return first;
  const { block } = first.values as Values<typeof structs.rkey1Answer>;
  const p = await ports.asymmetric.oaepOpen(next.enc, Label.pop, block);
  if (!p) throw new Error('the block of rkey1 does not open');
  const bundle = await bundleOf({ ...next, uid: user.uid });
  const { time, suite, signature } = bundle;
  const former = await signFormer(ports, user.sig, bundle);
  const mac = renewalMac(nodeSync, p, raw.session.th2, bundle);
  const words = { words: proof, factor: 0, code: new Uint8Array(0) };
  return raw.ask(structs.rkey2, { ...words, mac, time, suite, signature, former, ...change });
}
