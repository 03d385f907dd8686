/** What the operator can mend: each room says it by a class of its own, in one line, and it is exit code 1 everywhere. */
import { KeysRefusal } from '../../keys/refusal.js';
import { SocketRefusal } from '../../local/refusal.js';
import { ServiceRefusal } from '../../ops/systemd/refusal.js';
import { SettingMistake } from '../../settings/index.js';
import { StoreRefusal } from '../../store/store.js';
import { BlocklistRefusal } from '../blocklist.js';
import { Refusal } from './refusal.js';

const kinds = [Refusal, SettingMistake, KeysRefusal, StoreRefusal, BlocklistRefusal, SocketRefusal, ServiceRefusal];

export function isMendable(error: unknown): error is Error {
  return kinds.some((kind) => error instanceof kind);
}
