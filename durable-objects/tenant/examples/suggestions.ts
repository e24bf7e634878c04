import {
  type LabelledText,
  MOST_SUGGESTIONS,
  type Suggestion,
} from "../../../src/domain/moderation/labelled-text.ts";
import { AFTER_ALL_IDS } from "../../id-range.ts";
import { newUlid } from "../../outbox/event-id.ts";
import {
  expiresAfter,
  expiry,
  PURGE_ROWS,
  type TenantContext,
  type TenantFeature,
} from "../feature.ts";
import { notFound, pageOf } from "../page.ts";
import type { Profile } from "../profile-store.ts";
import type { Caller } from "../protocol.ts";
import type { Tx } from "../transactions.ts";
import { STORAGE_SHARE } from "../verdicts/contents.ts";
import type { ReadReviewed, ReviewedTexts } from "./reviewed-texts.ts";
import { SUGGESTIONS } from "./suggestion-schema.ts";

// Labelled texts from `comments:suggestscore`, while the tenant's `suggestion_retention_days` keep them. They
// name no person: the method has no field for one.

const keptMs = ({ settings }: Profile): number => settings.suggestion_retention_days * 86_400_000;

export const SUGGESTIONS_FEATURE: TenantFeature = {
  name: "suggestions",
  tables: [SUGGESTIONS],
  capability: ({ stores: { db, suggestions } }) => ({
    forget: () => suggestions.forget(),
    purge: ({ profile, nowMs }) => suggestions.purge(nowMs - keptMs(profile), PURGE_ROWS),
    expiries: [
      expiry(db.of(SUGGESTIONS), (profile) =>
        expiresAfter(suggestions.oldestMs(), keptMs(profile)),
      ),
    ],
  }),
};

/** Whether a key's suggestions are kept: never those of a public key, which anybody may hold. */
export function keepsSuggestions({ profile, keyId, nowMs, stores }: Tx): boolean {
  if (profile.settings.suggestion_retention_days === 0 || keyId === null) return false;
  const role = stores.keys.read(keyId, nowMs)?.role;
  return role !== undefined && role !== "score";
}

/** The oldest makes room for it. */
export function keepSuggestion(
  tx: Tx,
  { text, labels }: Pick<Suggestion, "text" | "labels">,
): { readonly kind: "kept" | "not_kept" } {
  const { suggestions, db, platform } = tx.stores;
  const isFull = db.size() > platform.storageLimit * STORAGE_SHARE;
  if (isFull || !keepsSuggestions(tx)) return { kind: "not_kept" };
  if (suggestions.count >= MOST_SUGGESTIONS) suggestions.deleteOldest();
  const id = `sug_${newUlid(tx.nowMs)}`;
  suggestions.insert({ id, createdAtMs: tx.nowMs, text, labels });
  return { kind: "kept" };
}

const PAGE = 50;

/** Within their time, whatever was not purged yet. */
const since = (tx: Tx, fromMs: number): number =>
  Math.max(fromMs, tx.nowMs - keptMs(tx.profile) + 1);

function suggestedTexts(tx: Tx, { fromMs, toMs, before }: ReadReviewed): ReviewedTexts {
  const span = { fromMs: since(tx, fromMs), toMs };
  const found = tx.stores.suggestions.list(before ?? AFTER_ALL_IDS, span, PAGE);
  const examples = found.map(({ text, labels }): LabelledText => ({
    text,
    labels,
    source: "suggestion",
  }));
  const next = found.length < PAGE ? null : (found.at(-1)?.id ?? null);
  return { kind: "examples", examples, next };
}

export const SUGGESTION_OPERATIONS = {
  keepSuggestion: (
    { write }: TenantContext,
    caller: Caller,
    suggestion: Pick<Suggestion, "text" | "labels">,
  ) => write(caller, (tx) => keepSuggestion(tx, suggestion)),

  deleteSuggestion: ({ write }: TenantContext, caller: Caller, id: string) =>
    write(caller, (tx) =>
      tx.stores.suggestions.delete(id, since(tx, 0))
        ? { kind: "deleted" as const }
        : notFound("suggestion"),
    ),

  suggestedTexts: ({ ask }: TenantContext, caller: Caller, request: ReadReviewed) =>
    ask(caller, (tx) => suggestedTexts(tx, request)),

  listSuggestions: ({ ask }: TenantContext, caller: Caller, before: string, limit: number) =>
    ask(caller, (tx) => {
      const span = { fromMs: since(tx, 0), toMs: Number.MAX_SAFE_INTEGER };
      return pageOf(tx.stores.suggestions.list(before, span, limit + 1), limit);
    }),
};
