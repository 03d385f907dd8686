/** Hints of the command line, as they are typed in the terminal interface. */
import { test } from 'tap';
import { typed } from '../../src/faces/tui/commands/typed.js';

void test('commands become those of the screen, with the sign before a room’s name', (t) => {
  for (const [told, shown] of [
    ['ask first: cadenas add @bob', 'ask first: /add @bob'],
    ['cadenas room join garden, or cadenas room decline garden', '/join #garden, or /room decline #garden'],
    ['(cadenas room owner garden @somebody), or', '(/room owner #garden @somebody), or'],
    ['see cadenas room list; to enter it: cadenas room join g_1', 'see /list; to enter it: /join #g_1'],
    ['mends it with cadenas room passwd, and', 'mends it with /room passwd, and'],
    ['cadenas room create NAME', '/room create NAME'],
    ['log in again: cadenas login', 'log in again'],
    ['see cadenas sessions list', 'see cadenas sessions list'],
  ] as const)
    t.equal(typed(told), shown);
  t.end();
});
