/** What a person types to prove the second factor, as the daemon takes it (SPEC 6.8). */
import { readTypedCode, RECOVERY_CODE, utf8, type structs, type Values } from '../../protocol/index.js';
import { error } from './errors.js';

export const FactorProof = { none: 0, totp: 1, recovery: 2, grant: 3, mail: 4 } as const;
/** What an account asks for. */
export const SecondFactor = { none: 0, totp: 1, mail: 2 } as const;

export type FactorCode = Pick<Values<typeof structs.pass>, 'factor' | 'code'>;

export const noFactor: FactorCode = { factor: FactorProof.none, code: new Uint8Array(0) };

/**
 * Six digits are of an authenticator, eight came by mail, anything longer is a recovery code.
 * @throws ClientError `bad-code`
 */
export function readFactorCode(typed: string): FactorCode {
  const digits = typed.replace(/\s/g, '');
  if (/^[0-9]{6}$/.test(digits)) return { factor: FactorProof.totp, code: utf8(digits) };
  if (/^[0-9]{8}$/.test(digits)) return { factor: FactorProof.mail, code: utf8(digits) };
  const code = readTypedCode(typed, RECOVERY_CODE);
  if (!code) throw error('bad-code');
  return { factor: FactorProof.recovery, code };
}
