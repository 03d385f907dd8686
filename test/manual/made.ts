/** All files that are made of what the programs know, and shipped: pages of the manual, completion. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  completionScript,
  shells,
  treeOf,
  treeOfEverywhere,
  type Shell,
  type Tree,
} from '../../src/completion/index.js';
import { program } from '../../src/keys/main.js';
import { completionTree } from '../../src/server/admin/program.js';
import { root } from '../support/temp.js';
import { keysPage } from './cadenas-keys.js';
import { cadenas, cadenasPage } from './cadenas.js';
import { cadenasdPage } from './cadenasd.js';
import { chatPage } from './chat.js';
import { page, type Page } from './roff.js';
import { cadenasdToml, cadenasToml } from './settings-page.js';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** Each shell looks for a file of this name in its folder. */
const names: Readonly<Record<Shell, (program: string) => string>> = {
  bash: (program) => program,
  zsh: (program) => `_${program}`,
  fish: (program) => `${program}.fish`,
};

export function pages(): readonly Page[] {
  return [chatPage(), cadenasPage(cadenas(version)), keysPage(), cadenasdPage(version), cadenasdToml(), cadenasToml()];
}

export function trees(): readonly Tree[] {
  return [treeOfEverywhere(cadenas(version)), completionTree(version), treeOf(program())];
}

/** By their paths, seen from the project's root. */
export function made(): ReadonlyMap<string, string> {
  const manual = pages().map((one): [string, string] => [
    `docs/man/${one.name}.${String(one.section)}`,
    page(one, version),
  ]);
  const completion = trees().flatMap((tree) =>
    shells.map((shell): [string, string] => [
      `completion/${shell}/${names[shell](tree.root.name)}`,
      completionScript(shell, tree),
    ]),
  );
  return new Map([...manual, ...completion]);
}
