import * as v from "valibot";
import { shaped } from "../http/field-errors.ts";
import type { CurrentTenant } from "../domain/tenant/state-plan.ts";
import { ok, raw } from "../http/reply.ts";
import { acceptsNdjson, linesFrom, NDJSON, ndjson } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { pageQuery, NOT_A_CURSOR } from "../api/field.ts";
import { MOST_TENANTS, StateOutput } from "../api/native/state.ts";
import { readTenantCursor, tenantCursor } from "../api/native/tenant-cursor.ts";
import { readTenants, type StateCall } from "./apply-state.ts";
import { readAccount, UNAVAILABLE } from "../edge/bindings.ts";

// All tenants with their settings, page by page. The account names the tenants of a page; settings are
// known to their own objects alone, so a page asks these, and no more than these.

/** Tenants of one step of a stream. */
const STREAM_PAGE = 50;

const ORDER = { list: "state", sort: "id" } as const;

interface StatePage {
  readonly kind: "page";
  readonly tenants: ReadonlyMap<string, CurrentTenant>;
  /** After which tenant the next page begins; null: this was the last one. */
  readonly next: string | null;
}

async function readPage(
  call: StateCall,
  after: string,
  limit: number,
): Promise<StatePage | typeof UNAVAILABLE> {
  const listed = await readAccount(call.env, (account) => account.listTenants(after, limit));
  if ("kind" in listed) return listed;
  const tenants = await readTenants(call, listed.ids);
  if ("kind" in tenants) return tenants;
  return { kind: "page", tenants, next: listed.more ? (listed.ids.at(-1) ?? null) : null };
}

const linesOf = ({ tenants, next }: StatePage) => ({
  lines: [...tenants].map(([tenant, { settings }]) => ({ tenant, settings })),
  next,
});

export const getState = defineRoute({
  method: "GET",
  path: "/admin/state",
  summary: "All tenants, by page, as the document that PUT takes",
  description: `By id. PUT of a page changes nothing; \`has_more\` says that it is not the whole, and such a document prunes nobody. With \`Accept: ${NDJSON}\` all tenants from the cursor on come as one stream, one \`{ "tenant", "settings" }\` a line; one that breaks off is not whole.`,
  surface: "native",
  auth: { kind: "platform" },
  query: v.strictObject({
    cursor: pageQuery.cursor,
    limit: v.optional(
      v.pipe(
        v.string(),
        v.description(`Tenants on a page: 1 to ${MOST_TENANTS}.`),
        v.regex(shaped(/^\d{1,3}$/, "must be a whole number")),
        v.transform(Number),
        v.minValue(1),
        v.maxValue(MOST_TENANTS),
      ),
      String(MOST_TENANTS),
    ),
  }),
  reply: { status: 200, schema: StateOutput, otherTypes: [NDJSON] },
  failures: [],
  handle: async (call) => {
    const { cursor, limit } = call.query;
    const place = cursor === undefined ? { id: "" } : readTenantCursor(cursor, ORDER);
    if (place === null) return NOT_A_CURSOR;
    const streamed = acceptsNdjson(call.request);
    const page = await readPage(call, place.id, streamed ? STREAM_PAGE : limit);
    if (page.kind !== "page") return page;
    if (streamed) {
      const read = async (after: string) => {
        const more = await readPage(call, after, STREAM_PAGE);
        return more.kind === "page" ? linesOf(more) : more;
      };
      return raw(ndjson(linesFrom(linesOf(page), read)));
    }
    const tenants = [...page.tenants].map(([id, { settings }]) => [id, settings]);
    const { next } = page;
    return ok({
      object: "state",
      tenants: Object.fromEntries(tenants) as v.InferOutput<typeof StateOutput>["tenants"],
      prune: false,
      issue_keys: false,
      has_more: next !== null,
      next_cursor: next === null ? null : tenantCursor(ORDER, { amount: 0, id: next }),
    });
  },
});
