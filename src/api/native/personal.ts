import * as v from "valibot";
import { ERASED, type Erasure, isDone } from "../../domain/tenant/erasure.ts";
import { formatDay, isoTime } from "../../domain/ledger/period.ts";
import type { PersonalRecord } from "../../domain/tenant/personal-record.ts";
import type { LoggedVerdict } from "../../domain/usage/report-rows.ts";
import type { PictureRecord } from "../../domain/generation/stored-picture.ts";
import type { KeptResponse } from "../../domain/responses/kept-response.ts";
import { toVerdict } from "../../domain/moderation/verdict.ts";
import { name, time, wholeNumber } from "../field.ts";
import { toListedSession } from "./session.ts";
import { toDocument } from "./document.ts";
import { toRevision } from "./verdict.ts";
import { toJournalLine } from "../../domain/ledger/journal-object.ts";
import { strictObject } from "../object-input.ts";

// One person's data on the wire.

export const ErasureInput = strictObject({ user_id: name("The person, as calls name them.") });

const count = wholeNumber(0, Number.MAX_SAFE_INTEGER, "So many.");

export const ErasureOutput = v.object({
  id: name("`era_` and a ULID."),
  object: v.literal("erasure"),
  state: v.picklist(["running", "done"]),
  counts: v.pipe(
    v.record(v.string(), count),
    v.description("What was erased so far; of journal lines, how many lost the person."),
  ),
  created_at: time("When it was asked for."),
  finished_at: v.nullable(time("When nothing was left; null while it runs.")),
});

/** Without the person: who asks has the id, and nobody else is to have it. */
export const toErasure = (erasure: Erasure) => ({
  id: erasure.id,
  object: "erasure" as const,
  state: isDone(erasure) ? ("done" as const) : ("running" as const),
  counts: Object.fromEntries(ERASED.map((what) => [what, erasure.counts[what] ?? 0])),
  created_at: isoTime(erasure.createdAtMs),
  finished_at: erasure.finishedAtMs === null ? null : isoTime(erasure.finishedAtMs),
});

/** A line of an export: an object as its own route gives it, where it has one. */
export function toExported(record: PersonalRecord) {
  switch (record.kind) {
    case "verdict":
      return toVerdict(record.verdict);
    case "journal_line":
      return toJournalLine(record.line);
    case "event": {
      const { id, type, createdAtMs, subject, data } = record.event;
      return {
        object: "event" as const,
        id,
        type,
        created_at: isoTime(createdAtMs),
        subject,
        data,
      };
    }
    case "delivery":
      return {
        object: "delivery",
        id: record.id,
        webhook_id: record.webhookId,
        event_id: record.eventId,
        state: record.state,
        first_try_at: record.firstTryAtMs === null ? null : isoTime(record.firstTryAtMs),
      };
    case "content":
      return {
        object: "content",
        verdict_id: record.verdictId,
        text: record.text,
        pictures: record.pictures.map((picture) =>
          picture === null ? null : { content_type: picture.contentType, bytes: picture.bytes },
        ),
      };
    case "response":
      return {
        object: "kept_response",
        id: record.id,
        previous_response_id: record.previousId,
        bytes: record.bytes,
        created_at: isoTime(record.createdAtMs),
      };
    case "document":
      return toDocument(record.document);
    case "revision":
      return toRevision(record.revision);
    case "idempotency_key":
      return {
        object: "idempotency_key",
        route: record.route,
        key: record.key,
        [record.subject.startsWith("ses_") ? "session_id" : "journal_line_id"]: record.subject,
        created_at: isoTime(record.createdAtMs),
      };
    case "reply":
      return {
        object: "reply",
        journal_line_id: record.callId,
        content_type: record.contentType,
        base64: new Uint8Array(record.body).toBase64(),
      };
    case "session":
      return toListedSession(record.session);
    case "user_pictures":
      return { object: "user_pictures", day: formatDay(record.day), count: record.count };
    case "vectors":
      return {
        object: "document_vectors",
        document_id: record.set.documentId,
        model: record.set.space.model,
        passages: record.set.chunks,
      };
    case "user_day": {
      const { day, calls, microNeurons } = record.row;
      return { object: "user_day", day: formatDay(day), calls, micro_neurons: microNeurons };
    }
    case "logged_verdict":
      return toLoggedVerdict(record.row);
  }
}

/** As the platform's log of moderation has it. */
const toLoggedVerdict = (row: LoggedVerdict) => ({
  object: "logged_verdict" as const,
  verdict_id: row.verdictId,
  revision: row.revision,
  decision: row.decision,
  categories: row.categories,
  content_id: row.contentId,
  created_at: isoTime(row.createdAtMs),
  expires_at: isoTime(row.expiresAtMs),
});

/** What is kept of a response: the caller's items of its turn, and the reply. */
export const toExportedResponse = ({ input, response }: KeptResponse) => ({
  object: "response_content" as const,
  response_id: response.id,
  input,
  response,
});

/** What is kept of a call for pictures; their bytes are at `/v1/images/{id}`. */
export const toExportedPictures = (record: PictureRecord) => ({
  object: "images" as const,
  journal_line_id: record.callId,
  user_id: record.userId,
  metadata: record.metadata,
  prompt: record.prompt,
  style: record.style,
  negative_prompt: record.negativePrompt,
  model: record.ran,
  engine: record.engine,
  steps: record.steps,
  variation: record.variation,
  data: record.pictures.map((picture) => ({
    id: picture.id,
    content_type: picture.contentType,
    bytes: picture.bytes,
    width: picture.width,
    height: picture.height,
    seed: picture.seed,
  })),
  created_at: isoTime(record.createdAtMs),
});

/** The last line: an export without it was cut. */
export const toExportSummary = (userId: string, counts: Readonly<Record<string, number>>) => ({
  object: "export_summary" as const,
  user_id: userId,
  counts,
});
