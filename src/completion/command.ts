/** `PROGRAM completion SHELL`: so that whoever has a program's one file has its completion too. */
import { Argument, type Command } from 'commander';
import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import type { Tree } from './tree.js';
import { zshScript } from './zsh.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const scripts: Readonly<Record<Shell, (tree: Tree) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** A script that completes the program; the same for all networks and machines. */
export function completionScript(shell: Shell, tree: Tree): string {
  return scripts[shell](tree);
}

/** @param tree of the whole program, with this command; asked when it is run */
export function addCompletion(program: Command, write: (script: string) => unknown, tree: () => Tree): void {
  program
    .command('completion')
    .description('prints a script by which a shell completes what is typed')
    .addArgument(new Argument('<shell>', 'whose script').choices(shells))
    .allowExcessArguments(false)
    .action((shell: Shell) => {
      write(completionScript(shell, tree()));
    });
}
