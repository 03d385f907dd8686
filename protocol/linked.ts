/**
 * What a client is linked with at build time, as the key builder writes it into the client's bundle:
 * JSON, byte strings in lower-case hexadecimal. No private key is among it (SPEC 4.1).
 */
import { fromHex } from './bytes.js';
import type { ClientBuild, NetworkKeys } from './handshake.js';

/** One generation of a network's keys (SPEC 4.1). */
export interface LinkedGeneration {
  /** Counts from 1. */
  readonly generation: number;
  /** 16 bytes */
  readonly networkKey: string;
  /** 256 bytes */
  readonly serverModulus: string;
}

/** The generation that was current when the client was linked; `next` where it had a successor by then. */
export interface LinkedNetwork extends LinkedGeneration {
  readonly network: string;
  /** of the client's program, for a person */
  readonly version: string;
  readonly build: number;
  /** 16 bytes */
  readonly software: string;
  /** 32 bytes: hash of the opcode table the client was built with */
  readonly table: string;
  readonly next?: LinkedGeneration;
  /** SHA-256 of the SubjectPublicKeyInfo of each accepted TLS certificate, of either generation */
  readonly pins: readonly string[];
  /** HOST:PORT, where the network's daemon is for whoever says nothing else; no part of the wire */
  readonly server?: string;
}

/** The oldest first. */
export function linkedGenerations(linked: LinkedNetwork): LinkedGeneration[] {
  return linked.next ? [linked, linked.next] : [linked];
}

export function linkedKeys(linked: LinkedGeneration): NetworkKeys {
  return { networkKey: fromHex(linked.networkKey), serverModulus: fromHex(linked.serverModulus) };
}

export function linkedBuild(linked: LinkedNetwork): ClientBuild {
  return { build: linked.build, software: fromHex(linked.software), table: fromHex(linked.table) };
}
