/** A process of the bench that is told what to do by messages and answers each with one. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Teardown } from '../support/temp.js';

interface End {
  readonly kind: 'end';
}

const isEnd = (order: object): boolean => 'kind' in order && order.kind === 'end';

export class Child<Order extends object> {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * @param module beside this one
   * @param setup its first argument, as JSON
   * @param flags of Node
   */
  static async start<Order extends object>(
    scope: Teardown,
    module: string,
    setup: object,
    flags: readonly string[] = [],
  ): Promise<Child<Order>> {
    const child = fork(new URL(module, import.meta.url), [JSON.stringify(setup)], { execArgv: [...flags] });
    scope.teardown(() => child.kill('SIGKILL'));
    await once(child, 'message');
    return new Child<Order>(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async order<T>(order: Order): Promise<T> {
    this.#child.send(order);
    const [result] = (await once(this.#child, 'message')) as [T & { error?: string }];
    if (result.error !== undefined) throw new Error(result.error);
    return result;
  }

  async end(): Promise<void> {
    this.#child.send({ kind: 'end' } satisfies End);
    await once(this.#child, 'exit');
  }
}

/** The other end: obeys until it is told to end, then ends the process. */
export async function obeyParent(obey: (order: never) => Promise<object>): Promise<never> {
  process.once('disconnect', () => process.exit(1)); // the bench was cut short
  process.send?.({ ready: true });
  for (;;) {
    const [order] = (await once(process, 'message')) as [object];
    if (isEnd(order)) process.exit(0); // connections that say nothing would keep it
    process.send?.(await obey(order as never).catch((error: unknown) => ({ error: String(error) })));
  }
}
