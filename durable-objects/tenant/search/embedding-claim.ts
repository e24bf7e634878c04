import { isEmbedded, type TextToEmbed } from "../../../src/domain/search/vector-set.ts";
import type { AdmitFailure } from "../protocol.ts";
import type { Tx } from "../transactions.ts";

// One call at a time embeds a text of a document. The claim comes with the call's hold and lasts as long: a
// call that dies blocks its document until the hold expires, and no longer.

/** Claims are kept beside the keys of idempotency, under a label that no route has. */
export const CLAIMS = "#embedding";

export const BEING_EMBEDDED: Extract<AdmitFailure, { kind: "idempotency_in_progress" }> = {
  kind: "idempotency_in_progress",
  what: "embedding",
};

/** Whether a call in progress embeds the text, or a call has embedded it since the caller looked. */
export function isClaimed({ stores, nowMs }: Tx, text: TextToEmbed): boolean {
  if (isEmbedded(stores.vectorSets.readReady(text.documentId), text)) return true;
  const claimed = stores.idempotency.find(CLAIMS, text.revision, nowMs);
  return claimed !== null && stores.ledger.entry(claimed.subject)?.kind === "hold";
}

/** In the transaction of the hold. */
export function claim(
  { stores, nowMs }: Tx,
  { revision: key }: TextToEmbed,
  subject: string,
): void {
  stores.idempotency.forget(CLAIMS, key, nowMs);
  const scope = { route: CLAIMS, key, nowMs };
  stores.idempotency.remember(scope, { fingerprint: "", subject, verdictIds: [] });
}
