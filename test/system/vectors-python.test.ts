/**
 * The vectors against SPEC.md by a second implementation: Debian's Python with python3-cryptography and python3-argon2,
 * which knows the specification's text and none of our code. Where one is missing, this fails and says so.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'tap';

const run = promisify(execFile);
const PYTHON = '/usr/bin/python3';
const script = join(process.cwd(), 'test', 'interop', 'check_vectors.py');
const protocol = join(process.cwd(), 'protocol');

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly errors: string;
}

async function python(...args: readonly string[]): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(PYTHON, ['-B', ...args], { maxBuffer: 1 << 20 });
    return { code: 0, out: stdout, errors: stderr };
  } catch (error) {
    const failed = error as { code?: unknown; stdout?: string; stderr?: string; message: string };
    if (typeof failed.code !== 'number') return { code: -1, out: '', errors: failed.message }; // it did not start
    return { code: failed.code, out: failed.stdout ?? '', errors: failed.stderr ?? '' };
  }
}

test('every vector holds for an implementation made from SPEC.md alone', async (t) => {
  const present = await python('-c', 'import cryptography, argon2');
  if (present.code !== 0) {
    t.fail(
      `needs Debian's python3, python3-cryptography and python3-argon2: ${present.errors.trim().split('\n').pop() ?? ''}`,
    );
    return;
  }
  const { code, out, errors } = await python(script, protocol);
  t.equal(errors, '', 'no errors of Python itself');
  const lines = out.trim().split('\n');
  for (const line of lines) t.ok(line.startsWith('ok '), line);
  const files = (await readdir(join(protocol, 'vectors'))).filter((file) => file.endsWith('.json'));
  t.equal(lines.length, files.length + 1, 'each file was checked, and the table hash of SPEC.md');
  t.equal(code, 0);
});
