/** The synchronous port over node:crypto: OpenSSL does the work, natively. */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { KEY, TAG, type Aead, type SyncCrypto } from '../../protocol/index.js';
import { oaepSeal } from './rsa.js';

const tagged = { authTagLength: TAG };

function aead(bytes: Uint8Array): Aead {
  const key = createSecretKey(bytes);
  const algorithm = bytes.length === KEY ? 'aes-128-gcm' : 'aes-256-gcm';
  return {
    seal(nonce, aad, plain, out, at) {
      const cipher = createCipheriv(algorithm, key, nonce, tagged);
      cipher.setAAD(aad);
      out.set(cipher.update(plain), at);
      cipher.final();
      out.set(cipher.getAuthTag(), at + plain.length);
    },
    open(nonce, aad, sealed) {
      if (sealed.length < TAG) return undefined;
      const length = sealed.length - TAG;
      const decipher = createDecipheriv(algorithm, key, nonce, tagged);
      decipher.setAAD(aad);
      decipher.setAuthTag(sealed.subarray(length));
      const plain = decipher.update(sealed.subarray(0, length));
      try {
        decipher.final();
      } catch {
        return undefined; // the tag does not match: the only reason for which final() throws in GCM
      }
      return plain;
    },
  };
}

export const nodeSync: SyncCrypto = {
  sha256(...parts) {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part);
    return hash.digest();
  },
  hmac(key, ...parts) {
    const mac = createHmac('sha256', key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  },
  hkdf(ikm, salt, info, length) {
    return new Uint8Array(hkdfSync('sha256', ikm, salt, info, length));
  },
  aead,
  keystream(key, counter) {
    const cipher = createCipheriv('aes-128-ctr', key, counter);
    return (chunk) => cipher.update(chunk);
  },
  oaepSeal,
  random: (length) => randomBytes(length),
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
};
