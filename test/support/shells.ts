/** bash, zsh and fish at a real terminal, which complete the three programs; what they would be started with is noted. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Screen } from './screen.js';
import { root, type Teardown } from './temp.js';

export type ShellName = 'bash' | 'zsh' | 'fish';

const programs = ['cadenas', 'cadenasd', 'cadenas-keys'];
const shipped = join(root, 'completion');

/** In the place of a program: notes its arguments, and counts; the prompt shows how many lines were taken. */
const posix = (program: string): string => `${program}() { printf '%s\\0' "$@" > "$NOTED"; took=$((took + 1)); }`;

/** One way of loading for each program: as distributions do it, and by what the program prints. */
const setups: Readonly<Record<ShellName, string>> = {
  bash: `PS1='at $took; ' took=0
eval "$(cat ${shipped}/bash/cadenas)"
source ${shipped}/bash/cadenasd
source ${shipped}/bash/cadenas-keys
${programs.map(posix).join('\n')}
`,
  zsh: `PS1='at $took; ' took=0
setopt prompt_subst
fpath=(${shipped}/zsh $fpath)
autoload -U compinit
compinit -u -D
eval "$(cat ${shipped}/zsh/_cadenas)"
${programs.map(posix).join('\n')}
`,
  fish: `set -g took 0
set -g fish_greeting
set -g fish_complete_path ${shipped}/fish
function fish_prompt; echo -n "at $took; "; end
cat ${shipped}/fish/cadenas.fish | source
${programs
  .map((program) => `function ${program}; printf '%s\\0' $argv > $NOTED; set took (math $took + 1); end`)
  .join('\n')}
`,
};

export class Shell {
  readonly screen: Screen;
  readonly #noted: string;
  #lines = 0;

  private constructor(screen: Screen, noted: string) {
    this.screen = screen;
    this.#noted = noted;
  }

  /** @param folder where it is, with what can be completed. @param beside for files of its own */
  static async start(t: Teardown, name: ShellName, folder: string, beside: string): Promise<Shell> {
    const home = join(beside, name);
    const noted = join(home, 'noted');
    mkdirSync(home);
    const setup = join(home, name === 'zsh' ? '.zshrc' : 'setup');
    writeFileSync(setup, setups[name]);
    const args = {
      bash: ['--noprofile', '--rcfile', setup, '-i'],
      zsh: ['-d', '-i'],
      fish: ['--no-config', '-i', '-C', `source ${setup}`],
    };
    const screen = Screen.open(t, {
      command: name,
      args: args[name],
      cwd: folder,
      columns: 160,
      rows: 50,
      env: { HOME: home, ZDOTDIR: home, NOTED: noted },
    });
    await screen.sees('at 0; '); // its terminal takes single keys from there on
    return new Shell(screen, noted);
  }

  /** @param typed with tabulators. @returns the arguments with which the line would start its program */
  async takes(typed: string): Promise<readonly string[]> {
    this.#lines++;
    this.screen.type(`${typed}\r`);
    await this.screen.sees(`at ${String(this.#lines)}; `);
    return readFileSync(this.#noted, 'utf8').split('\0').slice(0, -1);
  }
}
