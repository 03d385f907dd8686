/**
 * What a client is linked with at build time, as the key builder writes it into the client's bundle:
 * JSON, byte strings in lower-case hexadecimal. No private key is among it (SPEC 4.1).
 */
import { fromHex } from './bytes.js';
import type { ClientBuild, NetworkKeys } from './handshake.js';

export interface LinkedNetwork {
  readonly network: string;
  /** of the client's program, for a person */
  readonly version: string;
  readonly build: number;
  /** 16 bytes */
  readonly software: string;
  /** 32 bytes: hash of the opcode table the client was built with */
  readonly table: string;
  /** 16 bytes */
  readonly networkKey: string;
  /** 256 bytes */
  readonly serverModulus: string;
  /** SHA-256 of the SubjectPublicKeyInfo of each accepted TLS certificate */
  readonly pins: readonly string[];
}

export function linkedKeys(linked: LinkedNetwork): NetworkKeys {
  return { networkKey: fromHex(linked.networkKey), serverModulus: fromHex(linked.serverModulus) };
}

export function linkedBuild(linked: LinkedNetwork): ClientBuild {
  return { build: linked.build, software: fromHex(linked.software), table: fromHex(linked.table) };
}
