import type { KeptContent, KeptFiles } from "../../../src/domain/moderation/kept-content.ts";
import type { LookupFailure } from "../../../src/domain/ledger/failure.ts";
import type { Hold } from "../../../src/domain/ledger/ledger.ts";
import { contentKey, type PictureOwner } from "../../../src/domain/generation/stored-picture.ts";
import { newUlid } from "../../outbox/event-id.ts";
import {
  expiresAfter,
  expiry,
  PURGE_ROWS,
  type TenantContext,
  type TenantFeature,
} from "../feature.ts";
import { personalData } from "../privacy/personal-data.ts";
import type { TenantStores } from "../stores.ts";
import type { Tx } from "../transactions.ts";
import type { Profile } from "../profile-store.ts";
import type { Caller, ModerationAdmit } from "../protocol.ts";
import { CONTENTS } from "./people-schema.ts";
import { pageOf } from "../page.ts";

// What was moderated, where the tenant keeps it: read under an audit, and gone in time.

const DAY_MS = 86_400_000;

/** How long it is known who read a content. */
const READS_KEPT_MS = 400 * DAY_MS;

/** After a bucket that failed. */
const FILES_RETRY_MS = 10_000;

/** Contents go with their verdicts, or earlier. */
const contentsKeptMs = ({ settings }: Profile): number =>
  Math.min(settings.content_retention_days, settings.verdict_retention_days) * DAY_MS;

export const CONTENTS_FEATURE: TenantFeature = {
  name: "contents",
  tables: [CONTENTS],
  capability: (context) => {
    const { db, contents, contentFiles } = context.stores;
    return {
      purge: ({ nowMs }) => contents.purgeReads(nowMs - READS_KEPT_MS, PURGE_ROWS),
      expiries: [
        expiry(db.of(CONTENTS), (profile) =>
          expiresAfter(contents.oldestMs(), contentsKeptMs(profile)),
        ),
        expiry(db.of(CONTENTS), () => expiresAfter(contents.oldestReadMs(), READS_KEPT_MS)),
      ],
      dueMs: () => contentFiles.dueMs() ?? Infinity,
      dueRows: db.of(CONTENTS),
      isDueByRows: true,
      tend: async (profile) => {
        await eraseStrays(context, profile);
        return eraseExpired(context, profile);
      },
      personal: [
        personalData<"content">({
          name: "contents",
          find: (person, from) => {
            const { contents: found, next } = contents.ofPerson(person, from);
            return { records: found.map((content) => ({ kind: "content", ...content })), next };
          },
          erase: (_, { verdictId }) => contents.delete(verdictId),
          files: ({ verdictId, pictures }) =>
            pictures.length === 0 ? [] : [{ kind: "content", subject: verdictId }],
        }),
      ],
    };
  },
};

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
export const STORAGE_SHARE = 0.8;

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

/** With the verdicts. Files of contents that are not kept here are erased from the bucket in time. */
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
export const keptSince = (profile: Profile, nowMs: number): number =>
  nowMs - contentsKeptMs(profile);

/** The record that it was read is written before anything of it leaves. */
export function readContent(
  tx: Tx,
  request: ReadContent,
):
  | { readonly kind: "content"; readonly content: KeptContent; readonly owner: PictureOwner }
  | Extract<LookupFailure, { kind: "not_found" }> {
  const content = tx.stores.contents.read(request.id, keptSince(tx.profile, tx.nowMs));
  if (content === null) return { kind: "not_found", what: "content" };
  noteRead(tx, request.id, request.requestId);
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

/**
 * Contents past their time; true when there is more. After a bucket that fails, tomorrow's alarm tries again.
 */
async function eraseExpired(context: TenantContext, profile: Profile): Promise<boolean> {
  const { stores, outside, transact, wallMs } = context;
  const expired = stores.contents.listBefore(keptSince(profile, wallMs()), MOST_ERASED);
  if (expired.length === 0) return false;
  const gone = await eraseContentFiles(outside.bucket(), ownerOf(profile), expired);
  transact(({ stores: { contents } }) => gone.forEach((id) => contents.delete(id)));
  return gone.length === expired.length;
}

/** Files of calls that died between writing and settling. Without a bucket there are none. */
async function eraseStrays(context: TenantContext, profile: Profile): Promise<void> {
  const { stores, outside, transact, wallMs } = context;
  const { ids, keys } = strayFiles(stores, profile, wallMs());
  if (ids.length === 0) return;
  const erased = await (outside.bucket()?.delete([...keys]) ?? Promise.resolve()).then(
    () => true,
    () => false,
  );
  transact(({ stores: { contentFiles }, nowMs }) => {
    for (const id of ids) {
      if (erased) contentFiles.remove(id);
      else contentFiles.expect(id, nowMs + FILES_RETRY_MS);
    }
  });
}

/** Verdicts whose pictures nothing names, and the files that they may have. */
function strayFiles(
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
async function eraseContentFiles(
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

export const CONTENT_OPERATIONS = {
  readContent: ({ ask }: TenantContext, caller: Caller, request: ReadContent) =>
    ask(caller, (tx) => readContent(tx, request)),

  listContentReads: ({ ask }: TenantContext, caller: Caller, before: string, limit: number) =>
    ask(caller, ({ stores }) => pageOf(stores.contents.listReads(before, limit), limit)),
};
