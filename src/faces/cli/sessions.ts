/** sessions: where one is logged in, and ending that. */
import type { Command } from 'commander';
import { Exit } from '../../client/index.js';
import { adder, first, type Perform } from './commands.js';
import { untilText } from '../wording/people.js';
import { withClient, type Run } from './run.js';

function list(run: Run): Promise<Exit> {
  return withClient(run, 'needed', async (client) => {
    const { sessions } = await client.call('account', {});
    for (const session of sessions) {
      const own = session.current ? '  (this one)' : '';
      await run.output.print(
        { type: 'own-session', ...session },
        `${session.id}  ${untilText(session.ends, Date.now())}${own}`,
      );
    }
    return Exit.done;
  });
}

function revoke(run: Run, session: string): Promise<Exit> {
  return withClient(run, 'needed', async (client) => {
    await client.call('session-revoke', { session });
    await run.output.print({ type: 'session-revoked', session }, `session ${session} is over`);
    return Exit.done;
  });
}

function revokeOthers(run: Run): Promise<Exit> {
  return withClient(run, 'needed', async (client) => {
    await client.call('session-revoke', {});
    await run.output.print({ type: 'session-revoked', session: 'others' }, 'all other sessions are over');
    return Exit.done;
  });
}

export function addSessionCommands(program: Command, perform: Perform): void {
  const add = adder(program.command('sessions').description('sessions of your account'), perform);
  add('list', 'which there are, and until when', (run) => list(run));
  add('revoke <id>', 'end one: it has to log in with everything again', (run, args) => revoke(run, first(args)));
  add('revoke-others', 'end all but this one', (run) => revokeOthers(run));
}
