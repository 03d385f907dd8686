/** Which clients are served; any other gets 426 and the close (SPEC 4.5). */
import type { ClientBuild } from '../../protocol/index.js';

export interface ServedClients {
  readonly minBuild: number;
  /** 16 bytes each: the network's own, and further ones of the operator */
  readonly software: readonly Uint8Array[];
  /** Hashes of opcode tables, 32 bytes each: this program's own, those of older releases, and further ones of the operator */
  readonly tables: readonly Uint8Array[];
}

/** What is wrong with a client; undefined where it is served. */
export function unserved(served: ServedClients, client: ClientBuild): 'software' | 'build' | 'table' | undefined {
  const isAmong = (listed: readonly Uint8Array[], one: Uint8Array): boolean =>
    listed.some((each) => Buffer.compare(each, one) === 0);
  if (!isAmong(served.software, client.software)) return 'software';
  if (client.build < served.minBuild) return 'build';
  return isAmong(served.tables, client.table) ? undefined : 'table';
}
