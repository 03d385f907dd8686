/** All vectors but the one that cannot be made again to the byte. */
import { accountCases } from './case-account.js';
import { epochCases } from './case-epochs.js';
import { envelopeCases } from './case-envelope.js';
import { frameCases } from './case-frames.js';
import { handshakeCases } from './case-handshake.js';
import { keysCases } from './case-keys.js';
import { keyChangeCases } from './case-key-change.js';
import { roomEntryCases, roomInvitationCases } from './case-room-entry.js';
import { roomHeadCases } from './case-room-head.js';
import { roomBlockCases, roomKeyCases } from './case-room-key.js';
import { roomMessageCases } from './case-room-message.js';
import { safetyCases } from './case-safety.js';
import { structCases } from './case-struct.js';
import type { Vector } from './format.js';
import type { TestKeys } from './keys.js';

/** The file of the OPAQUE vector: its library draws its own randomness. */
export const RECORDED = 'opaque';

export async function madeCases(keys: TestKeys): Promise<ReadonlyMap<string, Vector>> {
  const handshakes = await handshakeCases(keys);
  const frames = await frameCases(keys);
  const roomKeys = await roomKeyCases();
  return new Map<string, Vector>([
    ...structCases(),
    ...handshakes,
    ...frames,
    ...epochCases(keys),
    ...envelopeCases(keys),
    ...accountCases(keys),
    ...keysCases(keys),
    ...keyChangeCases(keys),
    ...safetyCases(),
    ...roomKeys,
    ...roomBlockCases(keys),
    ...roomHeadCases(keys),
    ...roomEntryCases(keys),
    ...roomInvitationCases(keys),
    ...roomMessageCases(keys),
  ]);
}
