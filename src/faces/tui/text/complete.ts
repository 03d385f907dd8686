export class Completion {
  active = false;
  end(): void { this.active = false; }
  cancel(): { text: string; cursor: number } | undefined { return undefined; }
  begin(_t: string, _c: number, _s: object): Promise<void> { return Promise.resolve(); }
  next(_b: boolean): { text: string; cursor: number } | undefined { return undefined; }
  shown(_n: number): string[] { return []; }
}
export const replaceShortcodes = (text: string): Promise<string> => Promise.resolve(text);
