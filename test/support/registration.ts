/** What most registrations leave out. */
const none = new Uint8Array(0);

/** of `crea1` */
export const uninvited = { invitation: none };
/** of `crea2` */
export const untold = { fullName: none, email: none };
