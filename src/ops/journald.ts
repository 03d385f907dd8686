import { fstatSync } from 'node:fs';

/**
 * Whether what is written there goes to systemd's journal, which reads a priority at the beginning of each line. An
 * environment that was inherited says nothing of a descriptor that was led elsewhere since: so both are compared.
 * @param stream $JOURNAL_STREAM: device and inode, as DEVICE:INODE
 */
export function goesToJournal(stream: string | undefined, fd = 2): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${String(dev)}:${String(ino)}`;
  } catch {
    return false; // it is closed
  }
}
