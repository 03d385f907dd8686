/** What SPEC 3.5, 6.2 and 6.5 say that a daemon does with a struct, before the command's own clause has its turn. */
import { lines, readBySpec, type Line } from './spec-codec.js';

export type State = 'open' | 'registering' | 'confirming' | 'proving' | 'words' | 'recovering' | 'ready' | 'closed';

/** `own`: the command's clause decides. `close`: without a byte. */
export type Verdict =
  | { readonly is: 'own'; readonly line: Line; readonly values: Readonly<Record<string, unknown>> }
  | { readonly is: 'close' }
  | { readonly is: 'answer'; readonly code: number; readonly next: State };

const loginOrRegistration = ['crea1', 'crea2', 'crea3', 'auth1', 'auth2', 'pass', 'rcov1', 'rcov2'];
const due: Readonly<Record<State, readonly string[]>> = {
  open: ['crea1', 'auth1', 'rcov1', 'quit'],
  registering: ['crea1', 'crea2', 'auth1', 'rcov1', 'quit'],
  confirming: ['crea1', 'crea3', 'auth1', 'rcov1', 'quit'],
  proving: ['auth2'],
  words: ['pass', 'mcod'],
  recovering: ['rcov2'],
  ready: [],
  closed: [],
};

export function headOf(bytes: Uint8Array): { readonly opcode: number; readonly step: number; readonly id: string } {
  const opcode = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2);
  return { opcode, step: bytes[1] ?? 0, id: Buffer.from(bytes.subarray(6, 22)).toString('hex') };
}

export function commandLine(bytes: Uint8Array): Line | undefined {
  const { opcode, step } = headOf(bytes);
  return [...lines.values()].find(
    (line) => line.from === 'client' && line.name !== 'helo' && line.opcode === opcode && line.step === step,
  );
}

export function judge(state: State, bytes: Uint8Array): Verdict {
  const line = commandLine(bytes);
  const answer = (code: number, next = state): Verdict => ({ is: 'answer', code, next });
  const own = (of: Line, malformed: Verdict): Verdict => {
    const reading = readBySpec(of, bytes);
    return reading.step === undefined ? { is: 'own', line: of, values: reading.values } : malformed;
  };
  const isDue = line !== undefined && due[state].includes(line.name);
  if (state === 'proving' || state === 'words' || state === 'recovering') {
    /* From `auth1` on frames alternate; a struct that fails 3.5 ends the login with 400 (6.5). */
    if (!isDue) return { is: 'close' };
    return own(line, answer(400, 'open'));
  }
  if (!line) return answer(400);
  if (state !== 'ready') {
    if (!isDue) return answer(403);
  } else if (loginOrRegistration.includes(line.name)) return answer(409);
  return own(line, answer(400));
}
