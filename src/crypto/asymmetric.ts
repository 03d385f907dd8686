/** The asymmetric port over node:crypto and ML-KEM. Runs where it is called: a daemon calls it in workers. */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPair,
  generateKeyPairSync,
  privateDecrypt,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import {
  concat,
  isContributory,
  MODULUS,
  X25519_KEY,
  type AsymmetricCrypto,
  type RsaPrivate,
  type X25519Pair,
} from '../../protocol/index.js';
import { mlkem, MLKEM_SEED } from './mlkem.js';
import { oaep, oaepSeal, publicKey } from './rsa.js';

export interface NodeRsaPrivate extends RsaPrivate {
  readonly key: KeyObject;
}

const generate = promisify(generateKeyPair);
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

function modulusOf(key: KeyObject): Uint8Array {
  const { n } = key.export({ format: 'jwk' }) as { readonly n: string };
  return Buffer.from(n, 'base64url');
}

/**
 * A private key from PKCS#8 DER.
 * @throws RangeError where it is not RSA-2048 with e = 65537; Error where it is no key
 */
export function rsaPrivate(pkcs8: Uint8Array): NodeRsaPrivate {
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType !== 'rsa' || details?.modulusLength !== 8 * MODULUS || details.publicExponent !== 65537n)
    throw new RangeError('not an RSA key of 2048 bits with e = 65537');
  return { key, modulus: modulusOf(createPublicKey(key)) };
}

export function exportPrivate(key: NodeRsaPrivate): Uint8Array {
  return key.key.export({ format: 'der', type: 'pkcs8' });
}

/** A new RSA-2048 pair, e = 65537. Encoded by its generation, like X25519's below: a fresh key is never exported. */
export async function generateRsa(): Promise<NodeRsaPrivate> {
  const { privateKey } = await generate('rsa', {
    modulusLength: 8 * MODULUS,
    publicExponent: 65537,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  const made = rsaPrivate(privateKey);
  privateKey.fill(0);
  return made;
}

/**
 * X25519 keys come and go as JWK: as DER, OpenSSL's decoders cost three times the key agreement itself. The public key
 * is exported by the generation itself and never later: an export holds the key's lock, and if V8 collects the ended
 * generation meanwhile, Node takes that lock again, for ever (Node 20.20: `~KeyGenJob` beneath `ExportJWKEdKey`).
 */
type GenerateX25519 = (
  type: 'x25519',
  options: { publicKeyEncoding: { format: 'jwk' } },
) => { readonly publicKey: { readonly x: string }; readonly privateKey: KeyObject };
/* Node's types know this encoding for no pair; Node has it from 15.9. */
const generateX25519 = generateKeyPairSync as unknown as GenerateX25519;

function x25519(): X25519Pair {
  /* A hundredth of the time of an RSA pair: no thread is worth its waking. */
  const { publicKey, privateKey } = generateX25519('x25519', { publicKeyEncoding: { format: 'jwk' } });
  return {
    publicKey: Buffer.from(publicKey.x, 'base64url'),
    agree: (peer) => Promise.resolve(shared(privateKey, peer)),
  };
}

function shared(privateKey: KeyObject, peer: Uint8Array): Uint8Array | undefined {
  if (peer.length !== X25519_KEY) return undefined;
  const x = Buffer.from(peer).toString('base64url');
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
  let secret: Uint8Array;
  try {
    secret = diffieHellman({ privateKey, publicKey });
  } catch {
    return undefined; // OpenSSL itself refuses a peer of small order
  }
  /* c8 ignore next -- OpenSSL throws for these; what runs in its place (BoringSSL, an older one) may not */
  return isContributory(secret) ? secret : undefined;
}

export const nodeAsymmetric: AsymmetricCrypto<NodeRsaPrivate> = {
  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous; a throw becomes a rejection
  async oaepSeal(modulus, label, plain) {
    return oaepSeal(modulus, label, plain);
  },
  oaepOpen(key, label, block) {
    try {
      return Promise.resolve(privateDecrypt({ key: key.key, ...oaep(label) }, block));
    } catch {
      return Promise.resolve(undefined); // one answer for every way in which a block can be wrong
    }
  },
  pssSign(key, label, message) {
    return Promise.resolve(sign('sha256', concat(label, message), { key: key.key, ...pss }));
  },
  // eslint-disable-next-line @typescript-eslint/require-await
  async pssVerify(modulus, label, message, signature) {
    return verify('sha256', concat(label, message), { key: publicKey(modulus), ...pss }, signature);
  },
  x25519: () => Promise.resolve(x25519()),
  // eslint-disable-next-line @typescript-eslint/require-await
  async mlkem() {
    const seed = randomBytes(MLKEM_SEED);
    const pair = mlkem.pair(seed);
    seed.fill(0);
    return pair;
  },
  async agree(peer, mlkemKey) {
    const own = x25519();
    const first = await own.agree(peer);
    const kem = first && mlkem.encapsulate(mlkemKey);
    return kem && { x25519: own.publicKey, mlkem: kem.ciphertext, secret: concat(first, kem.secret) };
  },
};
