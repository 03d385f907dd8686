import { ClientError, Exit } from '../client/index.js';

/** A folder or file that is not used as it is: what, and what to do. */
export class HomeRefusal extends ClientError {
  constructor(message: string, hint: string) {
    super({ code: 'home', message, hint, exit: Exit.mistake });
    this.name = 'HomeRefusal';
  }
}
