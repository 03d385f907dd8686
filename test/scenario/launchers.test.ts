/** The programs in bin/: which client `cadenas` runs, and which it does not. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { root } from '../support/temp.js';

const says = (what: string): string => `#!/usr/bin/env node\nconsole.log('${what}', ...process.argv.slice(2));\n`;

/** A package without a client, and a person's home. */
function installed(t: Test) {
  const folder = t.testdir({ home: { '.local': { share: { cadenas: {} } } }, 'asked.mjs': says('asked') });
  cpSync(join(root, 'bin'), join(folder, 'package/bin'), { recursive: true });
  const share = join(folder, 'home/.local/share/cadenas');
  chmodSync(share, 0o700);
  return { folder, share, own: join(share, 'cadenas.mjs'), asked: join(folder, 'asked.mjs') };
}

function cadenas(folder: string, env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(join(folder, 'package/bin/cadenas'), ['--x', 'y'], {
    cwd: '/',
    env: { PATH: process.env['PATH'], HOME: join(folder, 'home'), ...env },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

test('the client that was asked for, else that of the sources, else one’s own', (t) => {
  const { folder, share, own, asked } = installed(t);
  t.same(cadenas(folder), {
    code: 1,
    out: '',
    err: `cadenas: no client yet — put the one that you were given at ${own}\n`,
  });
  writeFileSync(own, says('own'));
  t.same(cadenas(folder), { code: 0, out: 'own --x y\n', err: '' });
  t.match(cadenas(folder, { XDG_DATA_HOME: join(folder, 'none') }), { code: 1, err: /none\/cadenas\/cadenas\.mjs\n$/ });
  t.match(cadenas(folder, { XDG_DATA_HOME: '.' }), { out: 'own --x y\n' }, 'what is not absolute is no folder of data');
  t.match(cadenas(folder, { HOME: '/nowhere', XDG_DATA_HOME: join(share, '..') }), { out: 'own --x y\n' });

  mkdirSync(join(folder, 'package/dist/client'), { recursive: true });
  writeFileSync(join(folder, 'package/dist/client/cadenas.mjs'), says('sources'));
  t.match(cadenas(folder), { out: 'sources --x y\n' });
  t.match(cadenas(folder, { CADENAS_CLIENT: asked }), { out: 'asked --x y\n' });
  t.match(cadenas(folder, { CADENAS_CLIENT: '' }), { out: 'sources --x y\n' });
  t.same(cadenas(folder, { CADENAS_CLIENT: '/none/\x1b[2J.mjs' }), {
    code: 1,
    out: '',
    err: 'cadenas: $CADENAS_CLIENT is /none/?[2J.mjs, and nothing is there — mend or unset it\n',
  });
  t.end();
});

test('a client that others could have changed is not run', (t) => {
  const { folder, share, own } = installed(t);
  const refused = (what: RegExp, name: string): void => {
    const { code, out, err } = cadenas(folder);
    t.same([code, out], [1, ''], name);
    t.match(err, what);
    t.match(err, /^cadenas: [^\n]+ — [^\n]+\n$/);
  };
  writeFileSync(own, says('own'));
  for (const mode of [0o666, 0o664, 0o646]) {
    chmodSync(own, mode);
    refused(/others may write \S+\/cadenas\.mjs/, mode.toString(8));
  }
  chmodSync(own, 0o644);
  chmodSync(share, 0o777);
  refused(/others may write \S+\/share\/cadenas —/, 'they could put another in its place');
  chmodSync(share, 0o1777);
  t.match(cadenas(folder), { code: 0 }, 'not where each has their own files');
  chmodSync(share, 0o700);

  const elsewhere = join(folder, 'open');
  mkdirSync(elsewhere);
  chmodSync(elsewhere, 0o777);
  renameSync(own, join(elsewhere, 'real.mjs'));
  symlinkSync(join(elsewhere, 'real.mjs'), own);
  refused(/others may write \S+\/open —/, 'behind a symbolic link');
  chmodSync(elsewhere, 0o755);
  t.match(cadenas(folder), { code: 0, out: 'own --x y\n' });
  rmSync(own);
  linkSync(join(elsewhere, 'real.mjs'), own);
  t.match(cadenas(folder), { code: 0 });
  if (process.geteuid?.() === 0) {
    chownSync(own, 1234, 1234); // root alone can give files away
    refused(/cadenas\.mjs belongs to another user —/, 'of another user');
  }
  t.end();
});

test('what is no client', (t) => {
  const { folder, own } = installed(t);
  mkdirSync(own);
  t.match(cadenas(folder), { code: 1, err: /cadenas\.mjs is not a client — it ends in \.mjs\n$/ });
  rmSync(own, { recursive: true });
  symlinkSync('cadenas.mjs', own);
  t.match(cadenas(folder), { code: 1, err: /no client yet/ }, 'a link to itself');
  for (const path of [join(folder, 'package/bin/cadenas'), '/dev/zero'])
    t.match(cadenas(folder, { CADENAS_CLIENT: path }), { code: 1, err: / is not a client — [^\n]+\n$/ });
  t.end();
});
