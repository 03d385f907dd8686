/** What asks the store about others, or changes a room, keys or password, has a budget of its own. */
import { Code } from '../../../protocol/index.js';
import type { Context } from '../context.js';
import type { Caller } from '../handler.js';
import type { Reply } from '../reply.js';

/** Takes one look-up; true, and answered, where nothing is left. */
export async function overBudget({ budgets }: Context, peer: Caller, reply: Reply): Promise<boolean> {
  const wait = (await budgets.take('lookups', peer.uidKey)) || (await budgets.take('sourceLookups', peer.source));
  if (wait > 0) reply.fail(Code.limited, wait);
  return wait > 0;
}
