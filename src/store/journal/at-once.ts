/** Work on files of which each is its own: a disk that syncs several together takes little longer than for one. */

const AT_ONCE = 4;

/** So many wait for the disk together. The first error ends it when all are idle. */
export async function someAtOnce<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const turns = Array.from({ length: Math.min(AT_ONCE, all.length) }, async () => {
    for (let each = all[next++]; each !== undefined && !failed; each = all[next++]) {
      await work(each).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  });
  const ended = await Promise.allSettled(turns);
  for (const turn of ended) if (turn.status === 'rejected') throw turn.reason;
}
