/** What the client core needs of the machine it runs on. Node's are in `client-node`, a browser's elsewhere. */
import type { AsymmetricCrypto, LinkedNetwork, PasswordClient, RsaPrivate, SyncCrypto } from '../../protocol/index.js';
import type { Connect, Endpoint } from '../transport/transport.js';

/** RSA keys as the core keeps them sealed on disk. */
export interface KeyMaker {
  generate(): Promise<RsaPrivate>;
  /** PKCS#8 DER */
  export(key: RsaPrivate): Uint8Array;
  /** @throws where the bytes are no RSA-2048 key with e = 65537 */
  import(pkcs8: Uint8Array): RsaPrivate;
}

export interface ClientCrypto {
  readonly sync: SyncCrypto;
  readonly asymmetric: AsymmetricCrypto;
  readonly password: PasswordClient;
  readonly keys: KeyMaker;
}

/** Files of one profile. Everything handed in is sealed already. A promise that resolves means synced. */
export interface ClientStorage {
  read(name: string): Promise<Uint8Array | undefined>;
  /** Atomic: the old bytes or the new, never a mixture. */
  replace(name: string, bytes: Uint8Array): Promise<void>;
  /** At the end, in the order of the calls; calls that wait together share a sync. */
  append(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface Clock {
  /** ms since 1970 */
  now(): number;
  /** ms on a clock that is never set. */
  elapsed(): number;
  /** Returns what cancels it. */
  after(ms: number, run: () => void): () => void;
}

export interface ClientPorts {
  readonly linked: LinkedNetwork;
  readonly server: Endpoint;
  readonly connect: Connect;
  readonly crypto: ClientCrypto;
  readonly storage: ClientStorage;
  readonly clock: Clock;
  /** One line, without secrets or others' text; for --debug. */
  readonly log: (line: string) => void;
}
