/** How a command comes into the table: the same for those of the program and those of a group. */
import type { Command } from 'commander';
import type { Run } from './run.js';

export type Perform = (command: Command, work: (run: Run) => Promise<number>) => Promise<void>;
type Work = (run: Run, args: readonly string[], options: Record<string, unknown>) => Promise<number>;
export type Add = (usage: string, what: string, work: Work) => Command;

export function adder(parent: Command, perform: Perform): Add {
  return (usage, what, work) =>
    parent
      .command(usage)
      .description(what)
      .allowExcessArguments(false)
      .action((...all: unknown[]) => {
        const command = all.pop() as Command;
        return perform(command, (run) => work(run, command.args, command.opts()));
      });
}

export const first = (args: readonly string[]): string => args[0] ?? '';
export const second = (args: readonly string[]): string => args[1] ?? '';
