/** The terminal face: a screen from its first frame to its last, over one profile. */
import { asClientError, ClientError, Exit, type Trouble } from '../../client/index.js';
import { plainLine } from '../../plain/plain.js';
import { mistake } from './commands/command.js';
import { typed } from './commands/typed.js';
import { PlainScreen, type PlainHost, type Prompter } from './plain-screen.js';
import type { Door, OpenClient, TuiHost, TuiOptions } from './ports.js';
import { Screen } from './screen/screen.js';
import { Left, withCode, type Asker } from './start/asker.js';
import { firstRun } from './start/first-run.js';
import { unlock } from './start/unlock.js';
import { Talk, type Clock } from './talk/talk.js';

export type { Door, OpenClient, TuiHost, TuiOptions } from './ports.js';

const clock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};

/**
 * Takes the terminal until somebody quits, a signal ends it, or it is gone.
 * @throws ClientError where nothing more can be done; the terminal is as it was
 */
export async function runTui(host: TuiHost, door: Door, options: TuiOptions): Promise<Exit> {
  const screen = new Screen(host, options);
  try {
    for (let said = ''; ;) {
      /* What a daemon does not answer is given up: the process ends, and the next start goes on. */
      const opened = await Promise.race([open(screen, door, said), screen.left]);
      if (!opened) return Exit.done;
      try {
        const ending = await converse(screen, opened);
        if (ending.why === 'quit') return Exit.done;
        said = plainLine(`${ending.trouble.message} — ${typed(ending.trouble.hint)}`);
      } finally {
        await opened.close();
      }
    }
  } finally {
    screen.close();
  }
}

/** undefined: nobody wants to come in. */
async function open(screen: Screen, door: Door, said: string): Promise<OpenClient | undefined> {
  try {
    const identity = await door.identity();
    return await (identity ? unlock(screen, door, identity, said) : firstRun(screen, door));
  } catch (thrown) {
    if (thrown instanceof Left || screen.hasQuit) return undefined;
    throw thrown;
  }
}

async function converse(screen: Screen, opened: OpenClient): Promise<ReturnType<Screen['converse']>> {
  const talk = new Talk(opened.client, screen, clock);
  try {
    const trouble = await begin(talk);
    if (trouble) return { why: 'ended', trouble };
    const ending = screen.converse(talk);
    void connect(screen, opened).catch((thrown: unknown) => {
      screen.failed(thrown instanceof Left ? notIn.trouble : asClientError(thrown, '').trouble);
    });
    return await ending;
  } finally {
    talk.close();
  }
}

const notIn = mistake('not logged in: without a code nothing is sent', '/quit, then start again');

/** Why it was over before anything could be shown: the process that owns the profile may be just about to end. */
async function begin(talk: Talk): Promise<Trouble | undefined> {
  try {
    await talk.start();
  } catch (thrown) {
    if (talk.over?.code !== 'session-over') throw thrown;
  }
  return talk.over;
}

/** What is offline is tried again by the core, and stands in the status line; a code is asked for. */
async function connect(asker: Pick<Asker, 'ask'>, opened: OpenClient): Promise<void> {
  try {
    await withCode(asker, async (code) => opened.connect?.(code));
  } catch (thrown) {
    if (!(thrown instanceof ClientError) || thrown.exit !== Exit.network) throw thrown;
  }
}

function conversePlainly(screen: PlainScreen, talk: Talk, opened: OpenClient): Promise<Trouble | undefined> {
  const ending = screen.converse(talk);
  void connect(screen, opened).catch((thrown: unknown) => {
    if (!(thrown instanceof Left)) screen.failed(asClientError(thrown, '').trouble);
  });
  return ending;
}

/** The same by lines that are only added. @param open a client, once its secrets were asked for */
export async function runPlain(host: PlainHost, open: () => Promise<OpenClient>, secrets: Prompter): Promise<Exit> {
  for (;;) {
    const opened = await open();
    const screen = new PlainScreen(host, secrets);
    const talk = new Talk(opened.client, screen, clock);
    try {
      const trouble = (await begin(talk)) ?? (await conversePlainly(screen, talk, opened));
      if (!trouble) return Exit.done;
      screen.failed(trouble);
      if (!secrets.possible) return trouble.exit;
    } finally {
      talk.close();
      await opened.close();
    }
  }
}
