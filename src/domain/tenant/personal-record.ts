import type { RecordedEvent } from "../webhooks/event.ts";
import type { JournalLine } from "../ledger/ledger.ts";
import type { Day } from "../ledger/period.ts";
import type { LoggedVerdict, UserDay } from "../usage/report-rows.ts";
import type { Revision, Verdict } from "../moderation/verdict.ts";

// What a tenant's object holds of one person, as it is found, told of and erased.

export type PersonalRecord =
  | { readonly kind: "verdict"; readonly verdict: Verdict }
  /** It tells of a verdict of that person. */
  | { readonly kind: "event"; readonly event: RecordedEvent }
  | {
      readonly kind: "delivery";
      readonly id: string;
      readonly webhookId: string;
      readonly eventId: string;
      readonly state: string;
      /** Null: not yet. */
      readonly firstTryAtMs: number | null;
    }
  /** The name that a caller gave to a request of that person's. */
  | {
      readonly kind: "idempotency_key";
      readonly day: Day;
      readonly route: string;
      readonly key: string;
      readonly callId: string;
      readonly createdAtMs: number;
    }
  /** Of a generation, kept for who repeats its idempotency key. */
  | {
      readonly kind: "reply";
      readonly day: Day;
      readonly callId: string;
      readonly contentType: string;
      readonly body: ArrayBuffer;
    }
  /** What was moderated, where it is kept. Pictures are told of, and lie in the bucket. */
  | {
      readonly kind: "content";
      readonly verdictId: string;
      readonly text: string | null;
      readonly pictures: readonly ({
        readonly contentType: string;
        readonly bytes: number;
      } | null)[];
    }
  /** What a person decided of a verdict of that person. */
  | { readonly kind: "revision"; readonly revision: Revision }
  | { readonly kind: "journal_line"; readonly line: JournalLine }
  | { readonly kind: "user_pictures"; readonly day: Day; readonly count: number }
  /** Rows of the platform's reports that name the person. */
  | { readonly kind: "user_day"; readonly key: string; readonly row: UserDay }
  | { readonly kind: "logged_verdict"; readonly key: string; readonly row: LoggedVerdict };

export type PersonalKind = PersonalRecord["kind"];

/** Whether a call made pictures, of which files may be kept. */
export const madePictures = ({ items }: JournalLine): boolean =>
  items.some(({ stage, task }) => stage === "generate" && task === "text_to_image");
