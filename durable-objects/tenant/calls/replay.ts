import { charged, type JournalLine } from "../../../src/domain/ledger/ledger.ts";
import { verdictAt } from "../../../src/domain/moderation/review.ts";
import { dayOf } from "../../../src/domain/ledger/period.ts";
import { endOfDay, expiry, PURGE_ROWS, type TenantFeature } from "../feature.ts";
import { personalData } from "../privacy/personal-data.ts";
import { IDEMPOTENCY, QUOTED_DOCUMENTS, REPLIES } from "./call-schema.ts";
import { limitStatus } from "./plan-call.ts";
import type { Remembered } from "./idempotency-store.ts";
import type { Tx } from "../transactions.ts";
import type { AdmitReply, AdmitRequest, Idempotency, StoredReply } from "../protocol.ts";

// Idempotency keys of governed calls: what was made under one is given again, never made again.

export const REPLAY_FEATURE: TenantFeature = {
  name: "replay",
  tables: [IDEMPOTENCY, REPLIES, QUOTED_DOCUMENTS],
  capability: ({ stores: { db, idempotency, replies, persons } }) => ({
    purge: ({ nowMs }) =>
      [
        idempotency.purge(dayOf(nowMs), PURGE_ROWS),
        replies.purge(dayOf(nowMs), PURGE_ROWS),
      ].includes(true),
    expiries: [
      expiry(db.of(IDEMPOTENCY), () => endOfDay(idempotency.oldestDay(), 1)),
      expiry(db.of(REPLIES), () => endOfDay(replies.oldestDay(), 1)),
      expiry(db.of(QUOTED_DOCUMENTS), () => endOfDay(replies.oldestQuotedDay(), 1)),
    ],
    personal: [
      personalData<"idempotency_key">({
        name: "idempotency_keys",
        find: (person, from) => persons.idempotencyKeys(person, from),
        erase: (_, { day, route, key }) => persons.eraseIdempotencyKey(day, route, key),
      }),
      personalData<"reply">({
        name: "replies",
        find: (person, from) => persons.replies(person, from),
        erase: (_, { day, callId }) => persons.eraseReply(day, callId),
      }),
    ],
  }),
};

/** What an earlier request with the same idempotency key came to, if there was one. */
export function replayOf(tx: Tx, request: AdmitRequest): AdmitReply | null {
  const { idempotency, route } = request;
  if (idempotency === null) return null;
  const { nowMs } = tx;
  const found = tx.stores.idempotency.find(route, idempotency.key, nowMs);
  if (found === null) return null;
  if (found.fingerprint !== idempotency.fingerprint) return { kind: "idempotency_key_reused" };
  const entry = tx.stores.ledger.entry(found.subject);
  if (entry === null) return null;
  if (entry.kind === "hold") return { kind: "idempotency_in_progress" };
  const reply = tx.stores.replies.read(entry.line);
  if (entry.line.outcome === "voided" && reply === null && !hasVerdict(tx, found)) {
    tx.stores.idempotency.forget(route, idempotency.key, nowMs);
    return null;
  }
  return replayed(tx, { found, line: entry.line, reply });
}

const hasVerdict = (tx: Tx, { verdictIds }: Remembered): boolean =>
  verdictIds.some((id) => tx.stores.verdicts.read(id) !== null);

/** A call that was made under the same idempotency key. */
interface Ended {
  readonly found: Remembered;
  readonly line: JournalLine;
  readonly reply: StoredReply | null;
}

function replayed(tx: Tx, { found: { verdictIds }, line, reply }: Ended): AdmitReply {
  const { nowMs } = tx;
  const verdicts = verdictIds.flatMap((id) => {
    const verdict = tx.stores.verdicts.read(id);
    return verdict === null ? [] : [verdictAt(verdict, nowMs)];
  });
  if (verdicts.length < verdictIds.length || (verdictIds.length === 0 && reply === null)) {
    // Its settle never came, its verdicts are past their retention, or its reply was not kept: it
    // is not run again.
    const journalLineId = line.callId;
    return { kind: "idempotency_replay_unavailable", journalLineId, charged: charged(line) };
  }
  const standing = limitStatus(tx, { requests: 0 });
  return { kind: "replayed", verdicts, reply, line, standing };
}

/**
 * Keeps the reply of a call for a repeat. One that quotes a document is kept only while every document that
 * it may quote is there: one that was deleted during the call, and whose id may be used again, is not.
 */
export function keepReply(
  { stores: { documents, replies } }: Tx,
  line: JournalLine,
  reply: StoredReply,
): void {
  const isThere = (id: string): boolean => {
    const document = documents.read(id);
    return document !== null && document.createdAtMs <= line.admittedAtMs;
  };
  if ((reply.quotes ?? []).every(isThere)) replies.insert(line, reply);
}

export function remember(tx: Tx, request: AdmitRequest, { key, fingerprint }: Idempotency): void {
  const { callId: subject, route } = request;
  const verdictIds = request.kind === "moderation" ? request.verdictIds : [];
  const scope = { route, key, nowMs: tx.nowMs };
  tx.stores.idempotency.remember(scope, { fingerprint, subject, verdictIds });
}
