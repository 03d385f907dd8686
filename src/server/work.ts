/**
 * The costly steps of a connection's life: RSA, key agreement and OPAQUE. One piece of work for each step, since waking a
 * thread and being woken by it costs as much as an RSA operation.
 */
import {
  Label,
  openInner,
  type AsymmetricCrypto,
  Code,
  type InnerHello,
  type OpenedHello,
  type PasswordServer,
  type RsaPrivate,
  type SyncCrypto,
} from '../../protocol/index.js';
import { unserved, type ServedClients } from './clients.js';

export type SealedInner = Pick<OpenedHello<RsaPrivate>, 'cr' | 'b1' | 'inner' | 'aad'>;

/** One identity with which OPAQUE answers a login. */
export interface Answering {
  readonly identifier: Uint8Array;
  readonly record: Uint8Array | undefined;
}

/** The same with the key for which OAEP seals. */
export interface Sealing extends Answering {
  readonly enc: Uint8Array;
}

export interface LoginQuestion {
  /** the key that has to have signed, and what */
  readonly sig: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly ke1: Uint8Array;
  readonly s2: Uint8Array;
  /** undefined: there is no such account */
  readonly account: Sealing | undefined;
  /** answers unless the account has signed, after the same work */
  readonly decoy: Sealing;
}

export interface LoginAnswer {
  readonly signed: boolean;
  /** s2, for the one that answers */
  readonly block: Uint8Array;
  /** undefined: KE1 is malformed */
  readonly response: { readonly state: string; readonly ke2: Uint8Array } | undefined;
}

/** What a daemon has done elsewhere than on its loop. */
export interface Work {
  openInner(key: RsaPrivate, sealed: SealedInner, served: ServedClients): Promise<InnerHello | undefined>;
  /** Opens the block of a client's new epoch (SPEC 5.5). */
  openBlock(key: RsaPrivate, block: Uint8Array): Promise<Uint8Array | undefined>;
  answerLogin(question: LoginQuestion): Promise<LoginAnswer>;
  /** Seals `secret` for the key, and answers the OPAQUE request; undefined where that is malformed. */
  answerRegistration(
    enc: Uint8Array,
    secret: Uint8Array,
    uid: Uint8Array,
    request: Uint8Array,
  ): Promise<{ readonly block: Uint8Array; readonly response: Uint8Array } | undefined>;
  /** Answers the OPAQUE request of an account that is there; undefined where it is malformed. */
  registrationResponse(uid: Uint8Array, request: Uint8Array): Promise<Uint8Array | undefined>;
  /** Seals `secret` for a new key. */
  sealPossession(enc: Uint8Array, secret: Uint8Array): Promise<Uint8Array>;
  /** The same, and answers the first step of OPAQUE's login, as an account or as a decoy. */
  answerRecovery(
    enc: Uint8Array,
    secret: Uint8Array,
    as: Answering,
    ke1: Uint8Array,
  ): Promise<Omit<LoginAnswer, 'signed'>>;
  /** PSS under a label of the protocol's. */
  verify(label: Uint8Array, sig: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** Does the work where it is called. */
export function workOf<Private extends RsaPrivate>(
  sync: SyncCrypto,
  asymmetric: AsymmetricCrypto<Private>,
  passwords: PasswordServer,
  privateOf: (key: RsaPrivate) => Private,
): Work {
  return {
    openInner: (key, sealed, served) =>
      openInner({ sync, asymmetric }, privateOf(key), sealed, (client) =>
        unserved(served, client) === undefined ? Code.done : Code.upgrade,
      ),
    openBlock: (key, block) => asymmetric.oaepOpen(privateOf(key), Label.epoch, block),
    async answerLogin({ sig, message, signature, ke1, s2, account, decoy }) {
      const signed = await asymmetric.pssVerify(sig, Label.login, message, signature);
      const { enc, identifier, record } = (signed ? account : undefined) ?? decoy;
      const block = await asymmetric.oaepSeal(enc, Label.s2, s2);
      return { signed, block, response: await passwords.loginResponse(identifier, record, ke1) };
    },
    async answerRegistration(enc, secret, uid, request) {
      const block = await asymmetric.oaepSeal(enc, Label.pop, secret);
      const response = await passwords.registrationResponse(uid, request);
      return response && { block, response };
    },
    registrationResponse: (uid, request) => passwords.registrationResponse(uid, request),
    sealPossession: (enc, secret) => asymmetric.oaepSeal(enc, Label.pop, secret),
    async answerRecovery(enc, secret, { identifier, record }, ke1) {
      const block = await asymmetric.oaepSeal(enc, Label.pop, secret);
      return { block, response: await passwords.loginResponse(identifier, record, ke1) };
    },
    verify: (label, sig, message, signature) => asymmetric.pssVerify(sig, label, message, signature),
  };
}
