/** ML-KEM-768 (FIPS 203): Node's own where it has one, noble's elsewhere. Both give the same bytes. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { MLKEM_CT, MLKEM_EK, type MlKemPair } from '../../protocol/index.js';
import { ifItWorks, newerCrypto, type NewerCrypto } from './newer-node.js';

/** d | z of FIPS 203, algorithm 16: all that a key pair is made of. */
export const MLKEM_SEED = 64;

export interface MlKem {
  pair(seed: Uint8Array): MlKemPair;
  /** undefined where the key fails the checks of FIPS 203 section 7.2: its length, and each coefficient below q */
  encapsulate(encapsulationKey: Uint8Array): { ciphertext: Uint8Array; secret: Uint8Array } | undefined;
}

export const nobleMlKem: MlKem = {
  pair(seed) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    return {
      encapsulationKey: publicKey,
      // eslint-disable-next-line @typescript-eslint/require-await -- a throw becomes a rejection
      decapsulate: async (ciphertext) => ml_kem768.decapsulate(ciphertext, secretKey),
    };
  },
  encapsulate(encapsulationKey) {
    if (encapsulationKey.length !== MLKEM_EK) return undefined;
    try {
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(encapsulationKey);
      return { ciphertext: cipherText, secret: sharedSecret };
    } catch {
      return undefined; // the modulus check
    }
  },
};

/* Keys as DER (RFC 9935): a fixed prefix, and the encapsulation key or the seed. */
const SPKI = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');
const PKCS8_SEED = Buffer.from('3054020100300b060960864801650304040204428040', 'hex');

/** @returns undefined where that Node has no ML-KEM */
export function nodeMlKem({ encapsulate, decapsulate }: Partial<NewerCrypto>): MlKem | undefined {
  if (!encapsulate || !decapsulate) return undefined;
  const mlkem: MlKem = {
    pair(seed) {
      const der = Buffer.concat([PKCS8_SEED, seed]);
      const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
      der.fill(0);
      const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
      return {
        encapsulationKey: spki.subarray(SPKI.length),
        // eslint-disable-next-line @typescript-eslint/require-await -- a throw becomes a rejection
        async decapsulate(ciphertext) {
          if (ciphertext.length !== MLKEM_CT) throw new RangeError('a ciphertext of ML-KEM-768 has 1088 bytes');
          return decapsulate(privateKey, ciphertext);
        },
      };
    },
    encapsulate(encapsulationKey) {
      if (encapsulationKey.length !== MLKEM_EK) return undefined;
      let publicKey: KeyObject;
      try {
        publicKey = createPublicKey({ key: Buffer.concat([SPKI, encapsulationKey]), format: 'der', type: 'spki' });
      } catch {
        return undefined; // the modulus check
      }
      const { ciphertext, sharedKey } = encapsulate(publicKey);
      return { ciphertext, secret: sharedKey };
    },
  };
  return ifItWorks(mlkem, (it) => it.pair(new Uint8Array(MLKEM_SEED)));
}

export const mlkem: MlKem = nodeMlKem(newerCrypto) ?? nobleMlKem;
