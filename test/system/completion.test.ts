/** Completion as people use it: each shell at a terminal, with the shipped files; and the pages by man's own tools. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, t as file, test } from 'tap';
import { Shell, type ShellName } from '../support/shells.js';
import { root, temporaryFolder } from '../support/temp.js';

/** Whoever runs it has it run: none of it may be. */
const hostile = `na me '"$(touch ran)\`touch ran\`;touch ran;\\x.toml`;

/** Typed, each tabulator a Tab; and what the program is to be started with. */
const lines: readonly (readonly [string, readonly string[]])[] = [
  ['cadenasd inst\t', ['install-service']],
  ['cadenasd user dis\t@alice', ['user', 'disable', '@alice']],
  ['cadenasd debug of\t', ['debug', 'off']],
  ['cadenasd --log-f\tj\t', ['--log-format', 'json']],
  ['cadenasd --log-level=w\t', ['--log-level=warn']],
  ['cadenasd --limit hel\t5', ['--limit', 'hello-seconds=5']],
  ['cadenasd --limit=hel\t5', ['--limit=hello-seconds=5']],
  ['cadenasd limits hel\t5', ['limits', 'hello-seconds=5']],
  ['cadenasd status --wat\t--js\t', ['status', '--watch', '--json']],
  ['cadenasd --config na\t', ['--config', hostile]],
  ['cadenasd --config=na\t', [`--config=${hostile}`]],
  ['cadenasd backup fo\t', ['backup', 'folder']],
  ['cadenasd completion z\t', ['completion', 'zsh']],
  ['cadenas --profile room stat\t', ['--profile', 'room', 'status']],
  ["cadenas --server '[::1]:7878' stat\t", ['--server', '[::1]:7878', 'status']],
  ['cadenas --server localhost:7878 stat\t', ['--server', 'localhost:7878', 'status']],
  ['cadenas room le\tgarden', ['room', 'leave', 'garden']],
  ['cadenas status --the\tda\t', ['status', '--theme', 'dark']],
  ['cadenas receipts of\t', ['receipts', 'off']],
  ['cadenas account export fol\tno\t', ['account', 'export', 'folder/notes.txt']],
  ['cadenas send @bobby -- --the\t', ['send', '@bobby', '--', '--the']],
  ['cadenas 2fa enable --em\t--js\t', ['2fa', 'enable', '--email', '--json']],
  ['cadenas-keys link --out fo\t', ['link', '--out', 'folder']],
  ['cadenas-keys build --secrets fol\tno\t', ['build', '--secrets', 'folder/notes.txt']],
  ['cadenas-keys build --net\thome --ho\tlocalhost', ['build', '--network', 'home', '--host', 'localhost']],
];

let folder: string;
let beside: string;

before(async () => {
  [folder, beside] = [await temporaryFolder(file), await temporaryFolder(file)];
  mkdirSync(join(folder, 'folder'));
  for (const name of ['folder/notes.txt', 'form.txt', hostile]) writeFileSync(join(folder, name), '');
});

/** What is shown where there is a choice; zsh and fish say what each is. */
const shown: Readonly<Record<ShellName, readonly RegExp[]>> = {
  bash: [/delete +disable +enable +list +show/],
  zsh: [/disable +-- nobody logs in as them any more/, /list +-- accounts of a daemon that runs/],
  fish: [/disable +\(nobody logs in as them any more/, /list +\(accounts of a daemon that runs/],
};

for (const name of ['bash', 'zsh', 'fish'] as const)
  test(`${name} completes commands, options, choices, limits and paths`, async (t) => {
    const shell = await Shell.start(t, name, folder, beside);
    for (const [typed, args] of lines) {
      const taken = await shell.takes(typed);
      // zsh takes the slash behind a folder's name back where the line ends.
      t.same(
        taken.map((each) => each.replace(/\/$/, '')),
        args,
        typed.replaceAll('\t', '⇥'),
      );
    }
    shell.screen.type('cadenasd --data $(touch ran) --accept-t\t');
    await shell.screen.sees('--accept-table');
    shell.screen.press('ctrl-u');
    shell.screen.type('cadenasd user \t\t');
    for (const row of shown[name]) await shell.screen.sees(row);
    t.same(readdirSync(folder).sort(), ['folder', 'form.txt', hostile].sort(), 'nothing was run');
  });

test('the programs print what is shipped, whoever runs them', (t) => {
  for (const program of ['cadenasd', 'cadenas-keys'])
    for (const [shell, name] of [
      ['bash', program],
      ['zsh', `_${program}`],
      ['fish', `${program}.fish`],
    ] as const) {
      const { stdout, stderr } = spawnSync(join(root, 'bin', program), ['completion', shell], {
        env: { PATH: process.env['PATH'] },
        encoding: 'utf8',
      });
      t.same(
        [stdout, stderr],
        [readFileSync(join(root, 'completion', shell, name), 'utf8'), ''],
        `${program} ${shell}`,
      );
    }
  t.end();
});

test('the pages: no warnings, and a name that whatis finds', (t) => {
  const pages = readdirSync(join(root, 'docs/man')).map((name) => join(root, 'docs/man', name));
  const run = (command: string, ...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(command, args, {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8', MANWIDTH: '80' },
    });
    return { code: status, out: stdout, err: stderr };
  };
  t.ok(pages.length > 4, 'pages');
  for (const page of pages) {
    t.same(run('groff', '-man', '-ww', '-z', page), { code: 0, out: '', err: '' }, `groff ${page}`);
    const shown = run('man', '--warnings', '-l', page);
    t.match(shown, { code: 0, err: '' }, `man ${page}`);
    t.notMatch(shown.out, /\\[a-z([&]/, 'nothing of roff is left');
    t.match(run('lexgrog', page), { code: 0, out: / - / }, `lexgrog ${page}`);
  }
  t.end();
});
