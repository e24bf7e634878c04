// A chat session: a conversation that the gateway keeps, so that a client sends only what is new.

/** The caller's terms of a session. */
export interface SessionTerms {
  /** The system message of every call; null: there is none. */
  readonly system: string | null;
  /** For messages that name no model: a catalogue id, an alias or `auto`. */
  readonly model: string;
  /** The person that the session is for; null: nobody is named. */
  readonly userId: string | null;
  /** It ends so many seconds after its last message. */
  readonly ttlS: number;
  /** The most earlier turns that are sent with a message, and so kept. */
  readonly maxTurns: number;
  readonly metadata: Readonly<Record<string, string>>;
  /** The label of messages that bring none; null: they have none. */
  readonly context: string | null;
}

export interface Session extends SessionTerms {
  /** `ses_` and a ULID. */
  readonly id: string;
  readonly tenant: string;
  readonly createdAtMs: number;
  /** When the last message was answered; null: none was. */
  readonly lastMessageAtMs: number | null;
}

/** A tenant's sessions at once. */
export const MAX_SESSIONS = 10_000;

/** Of these the sessions of one key and its rotations, so that other keys can begin some too. */
export const MAX_SESSIONS_OF_KEY = 2_000;

/** Messages of one session at once: the one that is answered, and those that wait for it. */
export const MAX_IN_LINE = 8;

/**
 * The longest wait of a message for its turn. With the 90 s of its call it is below the time after which the
 * memory of its body counts as free (`goneMs` in `src/io/body-budget.ts`).
 */
export const MOST_WAIT_MS = 80_000;

export const expiresAtMs = ({
  createdAtMs,
  lastMessageAtMs,
  ttlS,
}: Pick<Session, "createdAtMs" | "lastMessageAtMs" | "ttlS">): number =>
  (lastMessageAtMs ?? createdAtMs) + ttlS * 1000;

/** Every session has an object of its own: this is its name. */
export const sessionObjectName = (tenant: string, id: string): string => `${tenant}/${id}`;
