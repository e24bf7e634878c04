import * as v from "valibot";
import { type Archive, archiveKey, lineOfPerson } from "../domain/ledger/journal-archive.ts";
import { formatDay, parseDay } from "../domain/ledger/period.ts";
import type { PictureOwner } from "../domain/generation/stored-picture.ts";
import { ok, raw } from "../http/reply.ts";
import { NDJSON } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { splitLines } from "../io/split-lines.ts";
import { ArchiveOutput, toArchive } from "../api/native/archive.ts";
import { list, listOf, pageQuery, NOT_A_CURSOR } from "../api/field.ts";
import { bucketOf, readTenant, UNAVAILABLE, TENANT_READ } from "../edge/bindings.ts";

// Days of the journal that have gone to the bucket.

export const listArchives = defineRoute({
  method: "GET",
  path: "/v1/ledger/archives",
  mirror: "/admin/tenants/:tenant/ledger/archives",
  summary: "Days of the journal that are files by now, newest first",
  description: "35 days after a day has closed its lines are one NDJSON file.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject(pageQuery),
  reply: { status: 200, schema: listOf(ArchiveOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor, limit } = call.query;
    const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : parseDay(cursor);
    if (before === null) return NOT_A_CURSOR;
    const page = await readTenant(call, (tenant, caller) =>
      tenant.listArchives(caller, before, limit),
    );
    if (page.kind !== "page") return page;
    const last = page.data.at(-1);
    const next = page.more && last !== undefined ? formatDay(last.day) : null;
    return ok(list(page.data.map(toArchive), next));
  },
});

export const getArchive = defineRoute({
  method: "GET",
  path: "/v1/ledger/archives/:day",
  mirror: "/admin/tenants/:tenant/ledger/archives/:day",
  summary: "An archived day of the journal, as NDJSON",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: v.strictObject({ day: v.string() }),
  reply: {
    status: 200,
    contentType: NDJSON,
    schema: v.pipe(v.string(), v.description("A journal line on each line.")),
  },
  failures: TENANT_READ,
  handle: async (call) => {
    // No day is asked for too: whether the key opens anything comes first.
    const day = parseDay(call.params.day) ?? -1;
    const found = await readTenant(call, (tenant, caller) => tenant.readArchive(caller, day));
    if (found.kind !== "archive") return found;
    const { archive, generation } = found;
    const key = archiveKey({ tenant: call.caller.tenant, generation }, day, archive.revision);
    const stored = await (bucketOf(call.env)
      ?.get(key)
      .catch(() => null) ?? null);
    if (stored === null) return UNAVAILABLE;
    return raw(new Response(stored.body, { headers: headersOf(archive) }));
  },
});

/** https://www.rfc-editor.org/rfc/rfc9530: whoever reads it can tell that it is whole. */
const headersOf = ({ day, sha256, bytes }: Archive): Record<string, string> => ({
  "Content-Type": NDJSON,
  "Content-Length": String(bytes),
  "Content-Disposition": `attachment; filename="journal-${formatDay(day)}.ndjson"`,
  "Repr-Digest": `sha-256=:${Uint8Array.fromHex(sha256).toBase64()}:`,
  ETag: `"${sha256}"`,
});

type Line = { readonly object: string } & Readonly<Record<string, unknown>>;

/**
 * What archived days hold of a person, for an export; a file at a time.
 *
 * @throws when a file cannot be had: a cut export must not look like a whole one
 */
export async function* archivedLinesOf(
  bucket: R2Bucket,
  { owner, userId }: { readonly owner: PictureOwner; readonly userId: string },
  archives: readonly Archive[],
): AsyncGenerator<readonly Line[]> {
  for (const { day, revision } of archives) {
    // oxlint-disable-next-line no-await-in-loop -- one file at a time
    const stored = await bucket.get(archiveKey(owner, day, revision));
    if (stored === null) throw new Error("an archived day is not in the bucket");
    for await (const lines of splitLines(stored.body)) {
      const theirs = lines.flatMap((text) => lineOfPerson(text, userId) ?? []);
      if (theirs.length > 0) yield theirs;
    }
  }
}
