import type { LookupFailure } from "../../../src/domain/ledger/failure.ts";
import type { Hold } from "../../../src/domain/ledger/ledger.ts";
import { contentKey, type PictureOwner } from "../../../src/domain/generation/stored-picture.ts";
import { newUlid } from "../../outbox/event-id.ts";
import type { KeptContent, KeptFiles } from "./content-store.ts";
import { contentsKeptMs } from "../expiries.ts";
import type { TenantStores } from "../stores.ts";
import type { Tx } from "../transactions.ts";
import type { Profile } from "../profile-store.ts";
import type { ModerationAdmit } from "../protocol.ts";

// What was moderated, where the tenant keeps it: read under an audit, and gone in time.

/** In one alarm: pictures of so many contents, each one request to the bucket. */
const MOST_ERASED = 15;

/** Of one content item. */
export const MOST_PICTURES = 8;

/** In one alarm, and one request: a bucket deletes a thousand files at once. */
const MOST_STRAYS = 100;

/** After its hold's end nothing of a call is under way any more: as long as an erasure waits for it. */
const LATE_WRITES_MS = 90_000;

/**
 * The share of the storage limit beyond which no content is kept. Admission ends at nine tenths; what
 * is between is for settlements, which must never fail for space.
 */
const STORAGE_SHARE = 0.8;

export interface ReadContent {
  readonly id: string;
  readonly requestId: string;
}

/** Before anything runs: what the call may write into the bucket. */
export function expectFiles(
  { stores: { contentFiles }, profile: { settings } }: Tx,
  { contents, verdictIds }: ModerationAdmit,
  { deadlineMs }: Hold,
): void {
  if (settings.content_retention_days === 0) return;
  verdictIds.forEach((id, at) => {
    const pictures = contents[at]?.pictures ?? 0;
    if (pictures > 0) contentFiles.expect(id, deadlineMs + LATE_WRITES_MS);
  });
}

/** With the verdicts. What is not kept here is erased from the bucket in its time. */
export function keepContents(tx: Tx, contents: readonly KeptContent[]): void {
  if (tx.profile.settings.content_retention_days === 0) return;
  if (tx.stores.db.size() > tx.stores.platform.storageLimit * STORAGE_SHARE) return;
  for (const content of contents) {
    tx.stores.contents.insert(content, tx.nowMs);
    // A write that seemed to fail may have arrived.
    if (content.pictures.every((picture) => picture?.kept !== false)) {
      tx.stores.contentFiles.remove(content.verdictId);
    }
  }
}

/** Until when contents are in their time, or their verdict's. */
const keptSince = (profile: Profile, nowMs: number): number => nowMs - contentsKeptMs(profile);

/** The record that it was read is written before anything of it leaves. */
export function readContent(
  tx: Tx,
  asked: ReadContent,
):
  | { readonly kind: "content"; readonly content: KeptContent; readonly owner: PictureOwner }
  | Extract<LookupFailure, { kind: "not_found" }> {
  const content = tx.stores.contents.read(asked.id, keptSince(tx.profile, tx.nowMs));
  if (content === null) return { kind: "not_found", what: "content" };
  noteRead(tx, asked.id, asked.requestId);
  return { kind: "content", content, owner: ownerOf(tx.profile) };
}

/** In a transaction of the one who reads. */
export function noteRead(tx: Tx, verdictId: string, requestId: string): void {
  const { keyId, nowMs } = tx;
  const id = `evt_${newUlid(nowMs)}`;
  tx.stores.contents.insertRead({ id, atMs: nowMs, keyId, requestId, verdictId });
}

export const ownerOf = ({ id, generation }: Profile): PictureOwner => ({
  tenant: id,
  generation,
});

export const expiredContents = (
  { contents }: Pick<TenantStores, "contents">,
  profile: Profile,
  nowMs: number,
): KeptFiles[] => contents.listBefore(keptSince(profile, nowMs), MOST_ERASED);

/** Verdicts whose pictures nothing names, and the files that they may have. */
export function strayFiles(
  { contents, contentFiles }: Pick<TenantStores, "contents" | "contentFiles">,
  profile: Profile,
  nowMs: number,
): { readonly ids: readonly string[]; readonly keys: readonly string[] } {
  const ids = contentFiles.listDue(nowMs, MOST_STRAYS);
  const keys = ids.flatMap((id) => {
    const named = contents.read(id, 0)?.pictures ?? [];
    const all = Array.from({ length: MOST_PICTURES }, (_, at) => at);
    return all
      .filter((at) => named[at]?.kept !== true)
      .map((at) => contentKey(ownerOf(profile), id, at));
  });
  return { ids, keys };
}

/**
 * The bucket first: as long as the row is there, its pictures are found by it.
 *
 * @returns whose pictures are gone, or never were
 */
export async function eraseContentFiles(
  bucket: R2Bucket | null,
  owner: PictureOwner,
  contents: readonly KeptFiles[],
): Promise<readonly string[]> {
  const erased = await Promise.all(
    contents.map(async ({ verdictId, pictures }) => {
      const kept = [...pictures.keys()].filter((at) => pictures[at]?.kept === true);
      if (kept.length === 0) return [verdictId];
      if (bucket === null) return [];
      const keys = kept.map((at) => contentKey(owner, verdictId, at));
      return bucket.delete(keys).then(
        () => [verdictId],
        () => [],
      );
    }),
  );
  return erased.flat();
}
