/** New keys of an account, and who says so: the keys themselves, and those before where they are there (SPEC 6.12, 6.13, 7.6). */
import { keyProblem } from './weak-keys.js';
import { concat, isZero } from './bytes.js';
import { writeFields } from './codec.js';
import type { RsaPrivate, SyncCrypto } from './crypto-port.js';
import { SUITE_RSA } from './envelope.js';
import { fieldsBetween, fieldsLength } from './field.js';
import type { Ports } from './handshake.js';
import { Label } from './labels.js';
import { structs, type Values } from './layouts.js';
import { SIGNATURE } from './limits.js';

/** A bundle and the word of the keys before, as the event `chky` has them. */
export type KeyChange = Values<typeof structs.chky>;
/** Signed by the new keys. */
export type KeyBundle = Omit<KeyChange, 'former'>;
export type UnsignedBundle = Omit<KeyBundle, 'signature'>;

/** The step at which a change is refused, in this order. */
export type KeyChangeProblem = 'modulus' | 'signature';

const unsignedFields = fieldsBetween(structs.chky.fields, 'uid', 'signature');
const wholeFields = fieldsBetween(structs.chky.fields, 'uid', 'former');

/** In place of `former` where the keys before are lost. */
export const noFormer = new Uint8Array(SIGNATURE);

function bytesOf(fields: typeof unsignedFields, values: object): Uint8Array {
  const out = new Uint8Array(fieldsLength(fields));
  writeFields(fields, values as Readonly<Record<string, unknown>>, out, 0);
  return out;
}

/** What the new `sig` signs with label `change`: all fields before the signature. */
export function bundleMessage(bundle: UnsignedBundle): Uint8Array {
  return bytesOf(unsignedFields, bundle);
}

/** All fields, signature included: what the `sig` before signs with label `former`, and what proofs are over. */
export function bundleBytes(bundle: KeyBundle): Uint8Array {
  return bytesOf(wholeFields, bundle);
}

export async function signKeyBundle(ports: Ports, key: RsaPrivate, unsigned: UnsignedBundle): Promise<KeyBundle> {
  const signature = await ports.asymmetric.pssSign(key, Label.change, bundleMessage(unsigned));
  return { ...unsigned, signature };
}

/** @param key the `sig` that the new keys take the place of */
export function signFormer(ports: Ports, key: RsaPrivate, bundle: KeyBundle): Promise<Uint8Array> {
  return ports.asymmetric.pssSign(key, Label.former, bundleBytes(bundle));
}

/** undefined: the bundle is of a suite we know, its moduli are usable, and `sig` has signed it. */
export async function keyBundleProblem(ports: Ports, bundle: KeyBundle): Promise<KeyChangeProblem | undefined> {
  const { enc, sig, suite, signature } = bundle;
  if (suite !== SUITE_RSA || keyProblem({ enc, sig })) return 'modulus';
  const isSigned = await ports.asymmetric.pssVerify(sig, Label.change, bundleMessage(bundle), signature);
  return isSigned ? undefined : 'signature';
}

/** Whether the keys before say so too. @param sig modulus of theirs */
export async function isSignedByFormer(ports: Ports, change: KeyChange, sig: Uint8Array): Promise<boolean> {
  if (isZero(change.former)) return false;
  return ports.asymmetric.pssVerify(sig, Label.former, bundleBytes(change), change.former);
}

/** In `rkey2`: whoever sends it opened p with the new `enc`, on this connection. */
export function renewalMac(sync: SyncCrypto, p: Uint8Array, th2: Uint8Array, bundle: KeyBundle): Uint8Array {
  return sync.hmac(p, th2, bundleBytes(bundle));
}

/** In `rcov2`: the same, and that they know the password. @param words H(words proof), of the new words */
export function recoveryMac(
  sync: SyncCrypto,
  p: Uint8Array,
  sessionKey: Uint8Array,
  th2: Uint8Array,
  words: Uint8Array,
  bundle: KeyBundle,
): Uint8Array {
  return sync.hmac(concat(p, sessionKey), th2, words, bundleBytes(bundle));
}
