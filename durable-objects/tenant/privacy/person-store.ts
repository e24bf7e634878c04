import type { PersonalRecord } from "../../../src/domain/tenant/personal-record.ts";
import type { SqlValue, FeatureDatabase, StagedDatabase } from "../../database.ts";
import { partsOfDelivery } from "../../outbox/event-id.ts";
import { type EventRow, toEvent } from "../../outbox/event-store.ts";
import { WEBHOOKS } from "../../outbox/outbox-schema.ts";
import { IDEMPOTENCY, REPLIES, USER_PICTURES } from "../calls/call-schema.ts";
import { type JournalRow, toEntry } from "../ledger/ledger-row.ts";
import { LEDGER } from "../ledger/ledger-schema.ts";
import { CLAIMS } from "../search/embedding-claim.ts";
import { SESSIONS } from "../sessions/session-schema.ts";
import { toVerdict, type VerdictRow } from "../verdicts/verdict-row.ts";
import { VERDICTS } from "../verdicts/verdict-schema.ts";

// The rows of one person, wherever they are. Only verdicts are indexed by person, since an index is
// one more row written with every call and these questions are rare: the other tables are looked
// through, a bounded number of rows at a time.

/** The person of what an idempotency key made: of a call that has ended, and of a session. */
const OF_LINE = "(SELECT user_id FROM journal WHERE id = kept.subject AND outcome <> 'pending')";
const OF_SESSION = "(SELECT user_id FROM sessions WHERE id = kept.subject)";

/** Rows that one page looks at. */
const SCAN = 1000;

/** Records that one page gives at most. */
const MOST_RECORDS = 200;

/** Kept replies have up to 64 KB each. */
const MOST_REPLIES = 20;

/** Before every row. */
export const START = "";

export interface PersonalPage<Kind extends PersonalRecord["kind"]> {
  readonly records: readonly Extract<PersonalRecord, { kind: Kind }>[];
  /** The place after which to go on; null: this was the last page. */
  readonly next: string | null;
}

/** Nothing is of anybody where nothing is that names a person. */
const NOBODYS = { records: [], next: null };

type Row = Record<string, SqlValue>;

/** A row, and whose it is. */
type Owned<R extends Row> = R & { person: string | null };

export class PersonStore {
  readonly #verdicts: FeatureDatabase;
  readonly #webhooks: FeatureDatabase;
  readonly #ledger: FeatureDatabase;
  readonly #idempotency: FeatureDatabase;
  readonly #replies: FeatureDatabase;
  readonly #sessions: FeatureDatabase;
  readonly #userPictures: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#verdicts = db.of(VERDICTS);
    this.#webhooks = db.of(WEBHOOKS);
    this.#ledger = db.of(LEDGER);
    this.#idempotency = db.of(IDEMPOTENCY);
    this.#replies = db.of(REPLIES);
    this.#sessions = db.of(SESSIONS);
    this.#userPictures = db.of(USER_PICTURES);
  }

  verdicts(person: string, after: string): PersonalPage<"verdict"> {
    const rows = this.#verdicts.run<VerdictRow>(
      "SELECT * FROM verdicts WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?",
      person,
      after,
      MOST_RECORDS,
    );
    const records = rows.map((row) => ({ kind: "verdict" as const, verdict: toVerdict(row) }));
    return { records, next: rows.length < MOST_RECORDS ? null : (rows.at(-1)?.id ?? null) };
  }

  /** Found by their verdicts, and so before those are erased. */
  events(person: string, after: string): PersonalPage<"event"> {
    if (!this.#verdicts.isThere) return NOBODYS;
    const rows = this.#webhooks.run<Owned<EventRow>>(
      `SELECT events.*, verdicts.user_id AS person FROM events
        LEFT JOIN verdicts ON verdicts.id = events.subject
        WHERE events.id > ? ORDER BY events.id LIMIT ?`,
      after,
      SCAN,
    );
    const { found, next } = pageOf(rows, person, ({ id }) => id);
    return { records: found.map((row) => ({ kind: "event", event: toEvent(row) })), next };
  }

  eraseEvent(id: string): void {
    this.#webhooks.run("DELETE FROM events WHERE id = ?", id);
  }

  /** Found by their events (whose id theirs names), and so before those are erased. */
  deliveries(person: string, after: string): PersonalPage<"delivery"> {
    if (!this.#verdicts.isThere) return NOBODYS;
    const rows = this.#webhooks.run<Owned<DeliveryRow>>(
      `SELECT deliveries.webhook_id, deliveries.id, deliveries.state, deliveries.first_try_at_ms,
        verdicts.user_id AS person FROM deliveries
        LEFT JOIN events ON events.id = 'evt_' || substr(deliveries.id, 5, 25) || '0'
        LEFT JOIN verdicts ON verdicts.id = events.subject
        WHERE (deliveries.webhook_id, deliveries.id) > (?, ?)
        ORDER BY deliveries.webhook_id, deliveries.id LIMIT ?`,
      ...keyOf(after, ["", ""]),
      SCAN,
    );
    const { found, next } = pageOf(rows, person, (row) => placeOf(row.webhook_id, row.id));
    return { records: found.map(toDelivery), next };
  }

  /**
   * Of calls that have ended, and of sessions; found by their lines and by the list of sessions, and so
   * before those lose the person. A claim of an embedding is kept beside them, and is nobody's: it has the
   * ids of two calls alone.
   */
  idempotencyKeys(person: string, after: string): PersonalPage<"idempotency_key"> {
    const persons = [
      this.#ledger.isThere ? OF_LINE : null,
      this.#sessions.isThere ? OF_SESSION : null,
    ].filter((one) => one !== null);
    if (persons.length === 0) return NOBODYS;
    const rows = this.#idempotency.run<Owned<IdempotencyRow>>(
      `SELECT kept.day, kept.route, kept.key, kept.subject, kept.created_at_ms,
        COALESCE(${persons.join(", ")}, NULL) AS person FROM idempotency AS kept
        WHERE (kept.day, kept.route, kept.key) > (?, ?, ?) AND kept.route <> ?
        ORDER BY kept.day, kept.route, kept.key LIMIT ?`,
      ...keyOf(after, [-1, "", ""]),
      CLAIMS,
      SCAN,
    );
    const { found, next } = pageOf(rows, person, (row) => placeOf(row.day, row.route, row.key));
    return { records: found.map(toIdempotencyKey), next };
  }

  eraseIdempotencyKey(day: number, route: string, key: string): void {
    this.#idempotency.run(
      "DELETE FROM idempotency WHERE day = ? AND route = ? AND key = ?",
      day,
      route,
      key,
    );
  }

  /** Found by the lines of their calls, and so before those lose the person. */
  replies(person: string, after: string): PersonalPage<"reply"> {
    if (!this.#ledger.isThere) return NOBODYS;
    const rows = this.#replies.run<Owned<{ day: number; call_id: string }>>(
      `SELECT kept.day, kept.call_id, journal.user_id AS person FROM replies AS kept
        LEFT JOIN journal ON journal.id = kept.call_id
        WHERE (kept.day, kept.call_id) > (?, ?) ORDER BY kept.day, kept.call_id LIMIT ?`,
      ...keyOf(after, [-1, ""]),
      SCAN,
    );
    const { found, next } = pageOf(rows, person, replyPlace, MOST_REPLIES);
    return { records: found.flatMap(({ day, call_id: id }) => this.#reply(day, id)), next };
  }

  #reply(day: number, callId: string): Extract<PersonalRecord, { kind: "reply" }>[] {
    return this.#replies
      .run<{ content_type: string; body: ArrayBuffer }>(
        "SELECT content_type, body FROM replies WHERE day = ? AND call_id = ?",
        day,
        callId,
      )
      .map(({ content_type: contentType, body }) => ({
        kind: "reply",
        day,
        callId,
        contentType,
        body,
      }));
  }

  eraseReply(day: number, callId: string): void {
    this.#replies.run("DELETE FROM replies WHERE day = ? AND call_id = ?", day, callId);
  }

  /** Those that have ended. Of a row only its key and its person are read, until it is that one's. */
  journalLines(person: string, after: string): PersonalPage<"journal_line"> {
    const rows = this.#ledger.run<Owned<{ id: string }>>(
      `SELECT id, user_id AS person FROM journal WHERE id > ? AND outcome <> 'pending'
        ORDER BY id LIMIT ?`,
      after,
      SCAN,
    );
    const { found, next } = pageOf(rows, person, ({ id }) => id);
    return { records: found.flatMap(({ id }) => this.#line(id)), next };
  }

  #line(id: string): Extract<PersonalRecord, { kind: "journal_line" }>[] {
    return this.#ledger
      .run<JournalRow>("SELECT * FROM journal WHERE id = ?", id)
      .map(toEntry)
      .flatMap((entry) =>
        entry.kind === "line" ? [{ kind: "journal_line", line: entry.line }] : [],
      );
  }

  /**
   * The line stays, with its amounts. The caller's label and its own id of a document go too: they may have
   * been the person's.
   */
  forgetPersonOfLine(id: string): void {
    this.#ledger.run(
      "UPDATE journal SET user_id = NULL, context = NULL, document_id = NULL WHERE id = ?",
      id,
    );
  }

  /** Of the days that are there: today, and those that are not yet purged. */
  userPictures(person: string): PersonalPage<"user_pictures"> {
    const [days] = this.#userPictures.run<{ first: number | null; last: number | null }>(
      `SELECT (SELECT day FROM user_pictures ORDER BY day LIMIT 1) AS first,
        (SELECT day FROM user_pictures ORDER BY day DESC LIMIT 1) AS last`,
    );
    const first = days?.first ?? 0;
    const all = Array.from({ length: (days?.last ?? -1) - first + 1 }, (_, at) => first + at);
    const records = all.flatMap((day) => this.#pictures(day, person));
    return { records, next: null };
  }

  #pictures(day: number, person: string): Extract<PersonalRecord, { kind: "user_pictures" }>[] {
    return this.#userPictures
      .run<{ count: number }>(
        "SELECT count FROM user_pictures WHERE day = ? AND user_id = ?",
        day,
        person,
      )
      .map(({ count }) => ({ kind: "user_pictures", day, count }));
  }

  eraseUserPictures(day: number, person: string): void {
    this.#userPictures.run("DELETE FROM user_pictures WHERE day = ? AND user_id = ?", day, person);
  }
}

/** The rows of that person among these rows, and the place at which the next page begins. */
function pageOf<R extends Owned<Row>>(
  rows: readonly R[],
  person: string,
  place: (row: R) => string,
  most: number = MOST_RECORDS,
): { readonly found: readonly R[]; readonly next: string | null } {
  const all = rows.filter((row) => row.person === person);
  const found = all.slice(0, most);
  const last = all.length > most ? found.at(-1) : rows.length < SCAN ? undefined : rows.at(-1);
  return { found, next: last === undefined ? null : place(last) };
}

/** A place in a table whose key has several columns. */
const placeOf = (...key: readonly SqlValue[]): string => JSON.stringify(key);

const replyPlace = (row: { day: number; call_id: string }): string => placeOf(row.day, row.call_id);

const keyOf = (place: string, first: readonly SqlValue[]): readonly SqlValue[] =>
  place === START ? first : (JSON.parse(place) as SqlValue[]);

type DeliveryRow = {
  webhook_id: string;
  id: string;
  state: string;
  first_try_at_ms: number | null;
};

const toDelivery = (row: DeliveryRow): Extract<PersonalRecord, { kind: "delivery" }> => ({
  kind: "delivery",
  id: row.id,
  webhookId: row.webhook_id,
  eventId: partsOfDelivery(row.id).eventId,
  state: row.state,
  firstTryAtMs: row.first_try_at_ms,
});

type IdempotencyRow = {
  day: number;
  route: string;
  key: string;
  subject: string;
  created_at_ms: number;
};

const toIdempotencyKey = (
  row: IdempotencyRow,
): Extract<PersonalRecord, { kind: "idempotency_key" }> => ({
  kind: "idempotency_key",
  day: row.day,
  route: row.route,
  key: row.key,
  subject: row.subject,
  createdAtMs: row.created_at_ms,
});
