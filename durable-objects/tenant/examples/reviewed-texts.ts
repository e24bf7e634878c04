import { type LabelledText, reviewedText } from "../../../src/domain/moderation/labelled-text.ts";
import type { TenantContext } from "../feature.ts";
import type { Caller } from "../protocol.ts";
import type { Tx } from "../transactions.ts";
import { keptSince } from "../verdicts/contents.ts";

// Texts that people have decided and that are still kept, for a calibration. No text is shown to anybody:
// the Worker scores them and gives thresholds.

export interface ReadReviewed {
  readonly fromMs: number;
  readonly toMs: number;
  /** Verdicts before this id, newest first. */
  readonly before: string | null;
}

export interface ReviewedTexts {
  readonly kind: "examples";
  readonly examples: readonly LabelledText[];
  /** Where to go on; null: these were all. */
  readonly next: string | null;
}

/** Verdicts of one transaction. It keeps the tenant's calls waiting for some milliseconds. */
const SCAN = 100;

/** UTF-16 units of one page: it is held in memory, and sent in one message. */
const MOST_UNITS = 500_000;

export function reviewedTexts(tx: Tx, { fromMs, toMs, before }: ReadReviewed): ReviewedTexts {
  const { revisions, verdicts, contents } = tx.stores;
  const ids = revisions.decided({ fromMs, toMs }, before, SCAN);
  const since = keptSince(tx.profile, tx.nowMs);
  const examples: LabelledText[] = [];
  let units = 0;
  for (const id of ids) {
    const verdict = verdicts.read(id);
    const content = verdict === null ? null : contents.read(id, since);
    if (verdict === null || content === null) continue;
    if (verdict.createdAtMs < fromMs || verdict.createdAtMs >= toMs) continue;
    const example = reviewedText(verdict, content);
    if (example === null) continue;
    examples.push(example);
    units += example.text.length;
    if (units >= MOST_UNITS) return { kind: "examples", examples, next: id };
  }
  return { kind: "examples", examples, next: ids.length < SCAN ? null : (ids.at(-1) ?? null) };
}

export const EXAMPLE_OPERATIONS = {
  reviewedTexts: ({ ask }: TenantContext, caller: Caller, request: ReadReviewed) =>
    ask(caller, (tx) => reviewedTexts(tx, request)),
};
