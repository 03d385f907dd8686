/** What the daemon needs of mail; `ops/mailer.ts` is one. */
export interface Mailer {
  /**
   * Resolves when a mail server has taken it.
   * @param to one address, checked (`readEmail`)
   * @throws Error whose message names no address: it goes into the log
   */
  send(to: string, subject: string, text: string): Promise<void>;
}
