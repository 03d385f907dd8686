/** The terminal interface, composed: what it is handed of this process and of the profile. */
import { ClientError, type Exit } from '../../client/index.js';
import { plainLine } from '../../plain/plain.js';
import { runPlain, runTui, type Door, type OpenClient } from '../tui/main.js';
import { newWords, type Opened } from './compose.js';
import { mistake } from './failure.js';
import type { Run } from './run.js';

export async function chat(run: Run): Promise<Exit> {
  const { host, output } = run;
  const { warning, screen } = run.options;
  const { plain, color, theme, bell, notify } = screen;
  const isTerminal = host.stdin.isTTY === true && host.stdout.isTTY === true;
  if (output.json || !(isTerminal || plain)) throw mistake('usage', 'no command', 'see cadenas --help');
  if (plain || host.env['TERM'] === 'dumb') return runPlain(host, doorOf(run), run.prompter);
  output.hold();
  try {
    return await runTui(host, doorOf(run), {
      colour: color && !host.env['NO_COLOR'],
      theme: theme === 'auto' ? groundOf(host.env['COLORFGBG']) : theme,
      bell,
      notify,
      warning: warning === undefined ? undefined : plainLine(warning),
    });
  } finally {
    output.release();
  }
}

/** What some terminals tell of their colours: the last number is that of the ground. */
function groundOf(told: string | undefined): 'dark' | 'light' {
  const ground = Number(told?.split(';').at(-1) ?? 0);
  return ground === 7 || ground === 15 ? 'light' : 'dark';
}

function doorOf({ profile, given }: Run): Door {
  return {
    network: profile.network,
    identity: async () => {
      try {
        return await profile.identity();
      } catch (thrown) {
        if (thrown instanceof ClientError && thrown.code === 'no-profile') return undefined;
        throw thrown;
      }
    },
    unfinished: () => profile.unfinished(),
    remote: () => profile.remote(),
    open: async (secrets) => connectable(await profile.open(() => Promise.resolve(secrets), true)),
    register: (name, secrets, application) => profile.register(name, secrets, application, true),
    newWords,
    given: async () => {
      const { password, words } = (await given()) ?? {};
      return password === undefined || words === undefined ? undefined : { password, words };
    },
  };
}

function connectable({ client, close, core }: Opened): OpenClient {
  return core ? { client, close, connect: (code) => core.connect(undefined, code) } : { client, close };
}
