/**
 * What the protocol needs of cryptography. Frames are sealed and opened synchronously, so that no
 * promise stands on the path of a message; RSA and key agreement are asynchronous, so that a daemon
 * can do them in workers and a browser by WebCrypto.
 */

/** AES-128-GCM under one key; tags are always 16 bytes. */
export interface Aead {
  /** Writes ciphertext and tag (plain.length + 16 bytes) to out at the offset. */
  seal(nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array, out: Uint8Array, at: number): void;
  /** The plaintext, or undefined where the tag does not match. */
  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;
}

/** A running AES-128-CTR keystream: returns a new array, the input XOR the next bytes of it. */
export type Keystream = (chunk: Uint8Array) => Uint8Array;

export interface SyncCrypto {
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** HKDF-SHA256 (RFC 5869), extract and expand. */
  hkdf(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array;
  aead(key: Uint8Array): Aead;
  keystream(key: Uint8Array, counter: Uint8Array): Keystream;
  /** RSA-2048-OAEP as `AsymmetricCrypto.oaepSeal`, at once: the sender of a frame can't wait for its block (SPEC 5.5). */
  oaepSeal(modulus: Uint8Array, label: Uint8Array, plain: Uint8Array): Uint8Array;
  random(length: number): Uint8Array;
  /** Constant-time; arrays of different lengths are unequal. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
}

/** A private RSA key as the provider keeps it; the protocol only hands it back. */
export interface RsaPrivate {
  readonly modulus: Uint8Array;
}

export interface X25519Pair {
  readonly publicKey: Uint8Array;
  /** The shared secret, or undefined where it is all zero (RFC 7748 section 6.1). */
  agree(peer: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface MlKemPair {
  readonly encapsulationKey: Uint8Array;
  decapsulate(ciphertext: Uint8Array): Promise<Uint8Array>;
}

/** What the answering side of a key agreement gets: its public shares and both secrets. */
export interface KeyAgreement {
  readonly x25519: Uint8Array;
  readonly mlkem: Uint8Array;
  /** X25519 secret (32) | ML-KEM secret (32) */
  readonly secret: Uint8Array;
}

/** Labels are the whole label as bytes, "cadenas/1 " included. */
export interface AsymmetricCrypto<Private extends RsaPrivate = RsaPrivate> {
  /** RSA-2048-OAEP with SHA-256; rejects a modulus it can't use with RangeError. */
  oaepSeal(modulus: Uint8Array, label: Uint8Array, plain: Uint8Array): Promise<Uint8Array>;
  oaepOpen(key: Private, label: Uint8Array, block: Uint8Array): Promise<Uint8Array | undefined>;
  /** RSA-PSS with SHA-256 and a salt of 32 bytes, over label | message. */
  pssSign(key: Private, label: Uint8Array, message: Uint8Array): Promise<Uint8Array>;
  pssVerify(modulus: Uint8Array, label: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  x25519(): Promise<X25519Pair>;
  mlkem(): Promise<MlKemPair>;
  /** Both answering operations at once; undefined where a share is not acceptable. */
  agree(x25519: Uint8Array, mlkemKey: Uint8Array): Promise<KeyAgreement | undefined>;
}

/** OPAQUE (RFC 9807) as the client uses it, and the stretching of its secrets. State stays opaque. */
export interface PasswordClient {
  registrationStart(password: string): { readonly state: string; readonly request: Uint8Array };
  registrationFinish(
    password: string,
    state: string,
    response: Uint8Array,
  ): { readonly record: Uint8Array; readonly exportKey: Uint8Array } | undefined;
  loginStart(password: string): { readonly state: string; readonly ke1: Uint8Array };
  /** undefined where the password (or the server) is not the one of the registration. */
  loginFinish(
    password: string,
    state: string,
    ke2: Uint8Array,
  ): { readonly ke3: Uint8Array; readonly sessionKey: Uint8Array; readonly exportKey: Uint8Array } | undefined;
  /** Argon2id, 64 MiB, t = 3, p = 1, 32 bytes (RFC 9106). */
  stretch(secret: string, salt: Uint8Array): Promise<Uint8Array>;
}

/** The daemon's side; every call does curve arithmetic and belongs in a worker. */
export interface PasswordServer {
  /** undefined where the request is not a valid group element. */
  registrationResponse(identifier: Uint8Array, request: Uint8Array): Promise<Uint8Array | undefined>;
  /** @param record undefined for a decoy: the answer then looks like a real one (RFC 9807 section 10.9). */
  loginResponse(
    identifier: Uint8Array,
    record: Uint8Array | undefined,
    ke1: Uint8Array,
  ): Promise<{ readonly state: string; readonly ke2: Uint8Array } | undefined>;
  /** The session key, 64 bytes, or undefined where KE3 does not prove the password. */
  loginFinish(state: string, ke3: Uint8Array): Promise<Uint8Array | undefined>;
}
