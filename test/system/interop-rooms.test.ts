/** The client in Python of interop.test.ts in rooms. */
import { t as file, test } from 'tap';
import { interoperates } from '../support/interop.js';

const LONG_MS = 230_000;

test('rooms from SPEC.md alone, over TLS', async (t) => {
  for (const each of [t, file]) each.setTimeout(LONG_MS);
  t.ok((await interoperates(t, 'rooms_interop.py', true)) > 20);
});
