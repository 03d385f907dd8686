/** Which commands the log may tell of, at debug. */
import { Opcode, opcodeName, type Code } from '../../protocol/index.js';
import type { Log } from './log.js';

/**
 * What concerns nobody but who sends it. The rest is never told, not even when it fails: whose message is answered and
 * whose client acknowledges in the same millisecond, or asks for a room that has just changed, talk with each other.
 */
const own: ReadonlySet<number> = new Set([
  Opcode.crea,
  Opcode.auth,
  Opcode.pass,
  Opcode.mcod,
  Opcode.quit,
  Opcode.fact,
  Opcode.rcod,
  Opcode.acct,
  Opcode.rvok,
  Opcode.pswd,
  Opcode.rkey,
  Opcode.rcov,
  Opcode.dlac,
]);

export function tellAnswer(log: Log, connection: string, opcode: number, step: number, code: Code): void {
  if (own.has(opcode)) log.debug('answered', { connection, command: opcodeName(opcode), step, code });
}
