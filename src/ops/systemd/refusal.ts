/** What this program and a service manager can't do together as it is: one line, and what to do. */
export class ServiceRefusal extends Error {
  override readonly name = 'ServiceRefusal';
}
