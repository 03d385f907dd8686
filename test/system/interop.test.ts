/**
 * A client of the network in Python, written from SPEC.md alone, talks with a real daemon and with the network's own
 * client: test/interop. Its scenarios are the tests here.
 */
import { t as file, test } from 'tap';
import { interoperates } from '../support/interop.js';

/** It makes some sixty people, each with two RSA keys and a password that is stretched as a real one. */
const LONG_MS = 230_000;

test('a client from SPEC.md alone, over TLS', async (t) => {
  for (const each of [t, file]) each.setTimeout(LONG_MS);
  t.ok((await interoperates(t, 'interop.py', true)) > 30);
});

test('the same over plain TCP, where a HELLO can be replayed', async (t) => {
  t.ok((await interoperates(t, 'interop.py', false, '--only', 'handshake')) > 4);
});
