/** Sizes of the wire, in bytes. A test holds the sums that must hold (SPEC 2). */

export const FRAME = 2048;
export const RSA_BLOCK = 256;
export const MODULUS = 256;
export const SIGNATURE = 256;
export const TAG = 16;
export const KEY = 16;
export const NONCE = 12;
export const COUNTER = 16;
export const HASH = 32;
export const ID = 16;
export const RANDOM = 32;
export const X25519_KEY = 32;
export const MLKEM_EK = 1184;
export const MLKEM_CT = 1088;

export const HELLO_STRUCT = 1720;
export const ACK_STRUCT = 2000;
export const STRUCT = 1776;

/** version, flags, opcode, frame id, timestamp */
export const COMMAND_HEADER = 1 + 1 + 4 + ID + 8;
/** the same, then status and code */
export const ANSWER_HEADER = COMMAND_HEADER + 1 + 2;

export const NAME_MIN = 3;
export const NAME_MAX = 32;

export const OPAQUE_REQUEST = 32;
export const OPAQUE_RESPONSE = 64;
export const OPAQUE_RECORD = 192;
export const OPAQUE_KE1 = 96;
export const OPAQUE_KE2 = 320;
export const OPAQUE_KE3 = 64;

export const ENVELOPE_HEADER = 1 + 1 + ID + ID + ID + ID + HASH + HASH + 8 + 8 + HASH + 2 + 2;
export const ENVELOPE_TEXT = 1024;
/** Parts of one private message, each in an envelope of its own (SPEC 7.3). */
export const PARTS_MAX = 64;
/** The longest text of a private message. */
export const TEXT_MAX = PARTS_MAX * ENVELOPE_TEXT;
export const ENVELOPE_INNER = SIGNATURE + 2 + ENVELOPE_TEXT;
export const ENVELOPE = ENVELOPE_HEADER + RSA_BLOCK + ENVELOPE_INNER + TAG;

/** A part of a room's message; as many parts, and as long a text, as in a private one. */
export const ROOM_TEXT = 1024;
/** People in a room, those who are invited included, at most. */
export const ROOM_MEMBERS = 500;
/** Messages of a room that the daemon keeps, each with all its parts. */
export const ROOM_HISTORY = 20;
/** Key blocks that one `rtrm1` carries at most. */
export const ROOM_BLOCKS = 6;
/** People that one change of a room's key removes at most. */
export const ROOM_REMOVED = 32;
/** An invitation holds at most this long, in ms. */
export const INVITATION_MS = 21 * 24 * 3600_000;

/** A secret for one-time codes (RFC 4226 section 4, R6: 160 bits). */
export const TOTP_SECRET = 20;
/** A recovery code, and how many of them somebody has at most. */
export const RECOVERY_CODE = 10;
export const RECOVERY_CODES = 10;
/** A code of an invitation to the network. */
export const INVITATION_CODE = 16;
/** The longest proof of a second factor: a grant. */
export const FACTOR_CODE = 32;
/** A one-time code or one that came by mail, as ASCII digits, at most. */
export const DIGITS_MAX = 8;
/** What somebody may tell of themselves when they register: UTF-8, and ASCII (RFC 5321 section 4.5.3.1). */
export const FULL_NAME_MAX = 96;
export const EMAIL_MAX = 254;
/** Sessions that an account has at a time. */
export const SESSIONS = 16;

/** Deliveries that one `ackd` frame acknowledges at most. */
export const ACKS_PER_FRAME = 64;
/** Answers that one `ansr` frame carries at most. */
export const ANSWERS_PER_FRAME = 50;

/** A HELLO's time may differ from the daemon's clock by this much, in ms (SPEC 4). */
export const HELLO_WINDOW_MS = 120_000;
/** The words must follow the password's proof within this time, in ms (SPEC 6). */
export const PASS_WINDOW_MS = 300_000;
/** A session of the three words ends after this time, in ms (SPEC 6). */
export const SESSION_MS = 12 * 3600_000;
/** Frames that one inner key seals at most; the last of them brings the next key's block (SPEC 5.5). */
export const FRAMES_PER_KEY = 2 ** 20;
/** An inner key of this age, in ms, is not used without bringing the next one's block: by its sender, then by its receiver. */
export const EPOCH_MS = 60 * 60_000;
export const EPOCH_CLOSE_MS = 70 * 60_000;
/** A block is accepted from this frame of a key on, or when the key is this old, in ms. */
export const EPOCH_ACCEPT_FRAMES = 1_024;
export const EPOCH_ACCEPT_MS = 55 * 60_000;
