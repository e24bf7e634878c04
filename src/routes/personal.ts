import * as v from "valibot";
import type { Place } from "../domain/tenant/erasure.ts";
import type { Day } from "../domain/ledger/period.ts";
import { madePictures, type PersonalRecord } from "../domain/tenant/personal-record.ts";
import type { PictureOwner } from "../domain/generation/stored-picture.ts";
import { readResponse } from "../generation/keep-response.ts";
import { readDocumentText, readResults } from "../documents/stored-files.ts";
import { readCallRecord } from "../generation/read-picture-record.ts";
import { forgetAnswers } from "../generation/response-cache.ts";
import { acted, ok, raw } from "../http/reply.ts";
import { newId } from "../http/ids.ts";
import { NDJSON } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { name } from "../api/field.ts";
import {
  ErasureInput,
  ErasureOutput,
  toErasure,
  toExported,
  toExportedPictures,
  toExportedResponse,
  toExportSummary,
} from "../api/native/personal.ts";
import { archivedLinesOf } from "./archives.ts";
import { ownerOf } from "./images.ts";
import {
  bucketOf,
  readTenant,
  writeTenant,
  type TenantAnswer,
  TENANT_READ,
} from "../edge/bindings.ts";
import { callSession } from "../edge/session-object.ts";
import { toSession, toSessionMessage } from "../api/native/session.ts";

// One person's data: given out, and erased. Neither costs neurons nor takes rate.

export const exportPerson = defineRoute({
  method: "GET",
  path: "/v1/export",
  mirror: "/admin/tenants/:tenant/export",
  summary: "Everything that is held of one person, as NDJSON",
  description:
    "One object a line, as its own route gives it where it has one. The last line is an `export_summary` with counts: a file without it was cut.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject({ user_id: name("The person, as calls name them.") }),
  reply: {
    status: 200,
    contentType: NDJSON,
    schema: v.pipe(v.string(), v.description("A JSON object on each line.")),
  },
  failures: TENANT_READ,
  audit: "act",
  handle: async (call) => {
    const { user_id: userId } = call.query;
    const owner = await ownerOf(call);
    if (owner.kind !== "owner") return owner;
    const read = (place: Place | null) =>
      readTenant(call, (tenant, caller) =>
        tenant.findPersonal(caller, { userId, place, requestId: call.requestId }),
      );
    const first = await read(null);
    if (first.kind !== "personal_page") return first;
    return acted({}, async () => {
      const bucket = bucketOf(call.env);
      const files = filesOf(bucket, owner);
      const sessions = sessionsOf(call.env, call.caller.tenant);
      const beside = async (record: PersonalRecord): Promise<readonly Line[]> =>
        record.kind === "session" ? sessions(record.session.id) : files(record);
      const lines = oneAfterTheOther([
        exportLines(first, read, beside),
        archivedLines(bucket, { owner, userId }, (before) =>
          readTenant(call, (tenant, caller) => tenant.listArchives(caller, before, ARCHIVES)),
        ),
      ]);
      return raw(
        new Response(exportStream(userId, lines), { headers: { "Content-Type": NDJSON } }),
      );
    });
  },
});

/** Read at a time. */
const ARCHIVES = 200;

async function* oneAfterTheOther<Item>(
  parts: readonly AsyncGenerator<Item>[],
): AsyncGenerator<Item> {
  for (const part of parts) yield* part;
}

/**
 * Listed when the journal has been read: what went from there into a file meanwhile is found.
 *
 * @throws when a list cannot be had
 */
async function* archivedLines(
  bucket: R2Bucket | null,
  of: { readonly owner: PictureOwner; readonly userId: string },
  read: (before: Day) => Promise<ArchivePage | { readonly kind: string }>,
): AsyncGenerator<readonly Line[]> {
  let before: Day | null = Number.MAX_SAFE_INTEGER;
  if (bucket === null) return;
  while (before !== null) {
    // oxlint-disable-next-line no-await-in-loop -- as the reader takes them
    const page: ArchivePage | { readonly kind: string } = await read(before);
    if (!("data" in page)) throw new Error("the export could not be read further");
    const named = page.data.filter(({ persons }) => persons > 0);
    yield* archivedLinesOf(bucket, of, named);
    before = page.more ? (page.data.at(-1)?.day ?? null) : null;
  }
}

type ArchivePage = TenantAnswer<"listArchives", "page">;
type PersonalPage = TenantAnswer<"findPersonal", "personal_page">;

type ReadPage = (place: Place) => Promise<PersonalPage | { readonly kind: string }>;

type Line = { readonly object: string } & Readonly<Record<string, unknown>>;

/**
 * Never an empty batch: a stream that is given nothing does not ask again.
 *
 * @throws when a page cannot be had: a cut export must not look like a whole one
 */
async function* exportLines(
  first: PersonalPage,
  read: ReadPage,
  beside: (record: PersonalRecord) => Promise<readonly Line[]>,
): AsyncGenerator<readonly Line[]> {
  let page = first;
  for (;;) {
    if (page.records.length > 0) yield page.records.map((record) => toExported(record));
    for (const record of page.records) {
      // oxlint-disable-next-line no-await-in-loop -- one file at a time is in memory
      const kept = await beside(record);
      if (kept.length > 0) yield kept;
    }
    if (page.next === null) return;
    // oxlint-disable-next-line no-await-in-loop -- as the reader takes them
    const next = await read(page.next);
    if (!("records" in next)) throw new Error("the export could not be read further");
    page = next;
  }
}

/** What the bucket keeps of a line's call, of a response or of a document. */
const filesOf =
  (bucket: R2Bucket | null, owner: PictureOwner) =>
  async (record: PersonalRecord): Promise<readonly Line[]> => {
    if (bucket !== null && record.kind === "response") {
      const file = await readResponse(bucket, owner, record.id);
      return file === null ? [] : [toExportedResponse(file)];
    }
    if (bucket !== null && record.kind === "document") {
      const { id } = record.document;
      const text = await readDocumentText(bucket, owner, record.document);
      const results = await readResults(bucket, owner, record.document);
      if (text === null && results === null) return [];
      return [{ object: "document_content", document_id: id, text, results }];
    }
    if (bucket === null || record.kind !== "journal_line" || !madePictures(record.line)) return [];
    const kept = await readCallRecord(bucket, owner, record.line.callId);
    return kept === null ? [] : [toExportedPictures(kept)];
  };

/**
 * A session as its object has it, and what was said in it: a megabyte at most.
 *
 * @throws when it cannot be had
 */
const sessionsOf =
  (env: Env, tenant: string) =>
  async (id: string): Promise<readonly Line[]> => {
    const all = Number.MAX_SAFE_INTEGER;
    const at = { tenant, id, repeats: true };
    const view = await callSession(env, at, (session) => session.read());
    const page = await callSession(env, at, (session) => session.listMessages(0, all - 1));
    // It has ended since it was found.
    if (view.kind === "not_found" || page.kind === "not_found") return [];
    if (view.kind !== "session" || page.kind !== "messages") {
      throw new Error("the export could not be read further");
    }
    const said = page.messages.map((one) => ({ ...toSessionMessage(one), session_id: id }));
    return [toSession(view), ...said];
  };

function exportStream(
  userId: string,
  lines: AsyncGenerator<readonly Line[]>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const counts: Record<string, number> = {};
  const written = (some: readonly Line[]): Uint8Array =>
    encoder.encode(some.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await lines.next();
      if (done === true) {
        controller.enqueue(written([toExportSummary(userId, counts)]));
        return controller.close();
      }
      for (const { object } of value) counts[object] = (counts[object] ?? 0) + 1;
      controller.enqueue(written(value));
    },
    async cancel() {
      await lines.return(undefined);
    },
  });
}

export const createErasure = defineRoute({
  method: "POST",
  path: "/v1/erasures",
  mirror: "/admin/tenants/:tenant/erasures",
  summary: "Erase what is held of one person",
  description:
    "A part is erased at once, the rest in the background; a repeat while it runs gets the same erasure. Journal lines keep their amounts, without the person.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  body: { schema: ErasureInput, limitBytes: 4096 },
  reply: { status: 202, schema: ErasureOutput },
  failures: [...TENANT_READ, "over_limit"],
  audit: "act",
  handle: async (call) => {
    const request = { id: newId("era"), userId: call.body.user_id };
    const started = await writeTenant(call, (tenant, caller) =>
      tenant.startErasure(caller, request),
    );
    if (started.kind !== "erasure") return started;
    // Answers that may be given again are nobody's by their key: all of the tenant's go.
    call.ctx.waitUntil(forgetAnswers(call.env.CACHE, call.caller.tenant));
    const { id: erasure } = started.erasure;
    return acted({ erasure }, ok(toErasure(started.erasure)));
  },
});

export const getErasure = defineRoute({
  method: "GET",
  path: "/v1/erasures/:id",
  mirror: "/admin/tenants/:tenant/erasures/:id",
  summary: "How far an erasure is",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: v.strictObject({ id: v.pipe(v.string(), v.description("`era_` and a ULID.")) }),
  reply: { status: 200, schema: ErasureOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const found = await readTenant(call, (tenant, caller) => tenant.readErasure(caller, id));
    return found.kind === "erasure" ? ok(toErasure(found.erasure)) : found;
  },
});
