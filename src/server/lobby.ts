/** The common room that an operator offers to everybody (SPEC 9.13). */
import { label, type SyncCrypto } from '../../protocol/index.js';
import { decoyRoom } from './decoy.js';

const info = label('lobby');

export interface Lobby {
  readonly name: string;
  /** of which its password is made: whoever runs the daemon knows it */
  readonly secret: Uint8Array;
  /** the id that `jrms1` gives for its name while nobody has made it */
  readonly unmade: Uint8Array;
}

/** @param secret the network's decoy secret: with the same keys the common room has the same password after a restart */
export function lobbyOf(sync: SyncCrypto, secret: Uint8Array, name: string): Lobby {
  const { room: unmade } = decoyRoom(sync, secret, name);
  return { name, secret: sync.hmac(secret, info, Buffer.from(name)), unmade };
}
