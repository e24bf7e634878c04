import type { StoredDocument } from "../documents/document.ts";
import type { RecordedEvent } from "../webhooks/event.ts";
import type { JournalLine } from "../ledger/ledger.ts";
import type { Day } from "../ledger/period.ts";
import type { ListedSession } from "../session/listed-session.ts";
import type { VectorSet } from "../search/vector-set.ts";
import type { LoggedVerdict, UserDay } from "../usage/report-rows.ts";
import type { Revision, Verdict } from "../moderation/verdict.ts";

// What a tenant's object stores about one person, in the form in which it is found, reported and erased.

export type PersonalRecord =
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  /** An event about a verdict of that person. */
  | { readonly kind: "event"; readonly event: RecordedEvent }
  | {
      readonly kind: "delivery";
      readonly id: string;
      readonly webhookId: string;
      readonly eventId: string;
      readonly state: string;
      /** Null: not sent yet. */
      readonly firstTryAtMs: number | null;
    }
  /** A caller's idempotency key of a request for that person. */
  | {
      readonly kind: "idempotency_key";
      readonly day: Day;
      readonly route: string;
      readonly key: string;
      /** The call (`jnl_…`) or the session (`ses_…`) that the request made. */
      readonly subject: string;
      readonly createdAtMs: number;
    }
  /** The reply of a generation or of a call for a document, stored for repeats of its idempotency key. */
  | {
      readonly kind: "reply";
      readonly day: Day;
      readonly callId: string;
      readonly contentType: string;
      readonly body: ArrayBuffer;
    }
  /** Moderated content, where it is stored. Pictures are listed here and lie in the bucket. */
  | {
      readonly kind: "content";
      readonly verdictId: string;
      readonly text: string | null;
      readonly pictures: readonly ({
        readonly contentType: string;
        readonly bytes: number;
      } | null)[];
    }
  /** A kept response: its content lies in the bucket. */
  | {
      readonly kind: "response";
      readonly id: string;
      readonly previousId: string | null;
      readonly createdAtMs: number;
      readonly bytes: number;
    }
  /** A reviewer's decision on a verdict of that person. */
  | { readonly kind: "revision"; readonly revision: Revision }
  /** Its text and results are in the bucket. */
  | { readonly kind: "document"; readonly document: StoredDocument }
  | { readonly kind: "journal_line"; readonly line: JournalLine }
  /** A chat session; what was said in it lies in its own object. */
  | { readonly kind: "session"; readonly session: ListedSession }
  | { readonly kind: "user_pictures"; readonly day: Day; readonly count: number }
  /** Vectors of a document about that person. */
  | { readonly kind: "vectors"; readonly set: VectorSet }
  /** Rows of the platform's reports with the person's id. */
  | { readonly kind: "user_day"; readonly key: string; readonly row: UserDay }
  | { readonly kind: "logged_verdict"; readonly key: string; readonly row: LoggedVerdict };

export type PersonalKind = PersonalRecord["kind"];

/** Whether a call made pictures, whose files may be stored. */
export const madePictures = ({ items }: JournalLine): boolean =>
  items.some(({ stage, task }) => stage === "generate" && task === "text_to_image");
