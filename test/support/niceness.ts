/** How much the threads of a process give way to others, from what /proc/PID/task/TID/stat has of each (proc(5), field 19). */
export function nicenessesIn(stats: string): number[] {
  /* Behind the name, which may have anything in it, fields 3 on. */
  return Array.from(stats.matchAll(/^\d+ \([^\n]*\) (.*)$/gm), ([, fields = '']) => Number(fields.split(' ')[16]));
}
