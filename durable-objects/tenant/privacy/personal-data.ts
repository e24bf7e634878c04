import type { Erased } from "../../../src/domain/tenant/erasure.ts";
import { madePictures, type PersonalRecord } from "../../../src/domain/tenant/personal-record.ts";
import type { UserDay } from "../../../src/domain/usage/report-rows.ts";
import type { PersonalFile } from "./erasure-store.ts";
import { nextSequence, unlogVerdict } from "../verdicts/moderation-log.ts";
import type { TenantStores } from "../stores.ts";
import type { Tx } from "../transactions.ts";
import { forgetReusable } from "../verdicts/reuse.ts";

// Where something of one person lies: an export tells of it, an erasure takes it out. A store that
// holds something of persons has its entry here.

/** Logged verdicts that one page looks at. */
const SCAN = 200;

interface PersonalData<Kind extends PersonalRecord["kind"]> {
  readonly name: Erased;
  /** A page after a place in the store; looks at a bounded number of rows. */
  find(person: string, after: string): Page<Extract<PersonalRecord, { kind: Kind }>>;
  erase(tx: Tx, record: Extract<PersonalRecord, { kind: Kind }>, person: string): void;
  /** What lies outside the object and is looked through whole, once everything here was. */
  everywhere?(): readonly PersonalFile[];
  /** What lies outside the object, named by what is erased here. */
  files?(record: Extract<PersonalRecord, { kind: Kind }>): readonly PersonalFile[];
}

interface Page<Found> {
  readonly records: readonly Found[];
  readonly next: string | null;
}

/** Entries of several kinds in one list: what `find` gives is what `erase` gets. */
export type AnyPersonalData = PersonalData<PersonalRecord["kind"]>;

const entry = <Kind extends PersonalRecord["kind"]>(data: PersonalData<Kind>): AnyPersonalData =>
  data as unknown as AnyPersonalData;

/**
 * In the order in which they are looked through and erased: what is found by another thing comes
 * before it.
 */
export function personalData(stores: TenantStores): readonly AnyPersonalData[] {
  const { persons, outbox, verdicts, contents, revisions, archives, reportRows } = stores;
  return [
    entry<"delivery">({
      name: "deliveries",
      find: (person, after) => persons.deliveries(person, after),
      erase: (_, { webhookId, id }) => outbox.deliveries.delete(webhookId, id),
    }),
    entry<"event">({
      name: "events",
      find: (person, after) => persons.events(person, after),
      erase: (_, { event }) => persons.eraseEvent(event.id),
    }),
    entry<"content">({
      name: "contents",
      find: (person, after) => {
        const { contents: found, next } = contents.ofPerson(person, after);
        return { records: found.map((content) => ({ kind: "content", ...content })), next };
      },
      erase: (_, { verdictId }) => contents.delete(verdictId),
      files: ({ verdictId, pictures }) =>
        pictures.length === 0 ? [] : [{ kind: "content", subject: verdictId }],
    }),
    entry<"revision">({
      name: "revisions",
      find: (person, after) => {
        const { revisions: found, next } = revisions.ofPerson(person, after);
        return { records: found.map((revision) => ({ kind: "revision", revision })), next };
      },
      erase: (_, { revision }) => revisions.delete(revision),
    }),
    entry<"verdict">({
      name: "verdicts",
      find: (person, after) => persons.verdicts(person, after),
      erase: (tx, { verdict }) => {
        forgetReusable(tx, verdict);
        verdicts.delete(verdict.id);
      },
    }),
    entry<"idempotency_key">({
      name: "idempotency_keys",
      find: (person, after) => persons.idempotencyKeys(person, after),
      erase: (_, { day, route, key }) => persons.eraseIdempotencyKey(day, route, key),
    }),
    entry<"reply">({
      name: "replies",
      find: (person, after) => persons.replies(person, after),
      erase: (_, { day, callId }) => persons.eraseReply(day, callId),
    }),
    entry<"journal_line">({
      name: "journal_lines",
      find: (person, after) => persons.journalLines(person, after),
      erase: (_, { line }) => {
        persons.forgetPersonOfLine(line.callId);
        archives.spoil();
      },
      everywhere: () =>
        archives.withPersons().map((day) => ({ kind: "archive", subject: String(day) })),
      files: ({ line }) =>
        madePictures(line) ? [{ kind: "image_call", subject: line.callId }] : [],
    }),
    entry<"user_pictures">({
      name: "user_pictures",
      find: (person) => persons.userPictures(person),
      erase: (_, { day }, person) => persons.eraseUserPictures(day, person),
    }),
    // After the lines and the verdicts that they were folded from.
    entry<"user_day">({
      name: "user_days",
      find: (person) => {
        const found = reportRows.daysOf(person);
        return { records: found.map((one) => ({ kind: "user_day", ...one })), next: null };
      },
      erase: (tx, { key, row }) => forgetUserDay(tx, key, row),
      files: ({ key }) => [{ kind: "user_day", subject: key }],
    }),
    entry<"logged_verdict">({
      name: "logged_verdicts",
      find: (person, after) => {
        const { records, next } = reportRows.loggedOf(person, { after, scan: SCAN });
        return { records: records.map((record) => ({ kind: "logged_verdict", ...record })), next };
      },
      erase: (tx, { key }) => unlogVerdict(tx, key),
      files: ({ key }) => [{ kind: "logged_verdict", subject: key }],
    }),
  ];
}

/** The row stays, with what its calls came to, and is nobody's. */
function forgetUserDay(tx: Tx, key: string, row: UserDay): void {
  const sequence = nextSequence(tx);
  if (sequence === null) return;
  tx.stores.reportRows.forgetUser(row.day, row.userId);
  tx.stores.reportRows.write({ kind: "user_day", key, row: { ...row, userId: "", sequence } });
}
