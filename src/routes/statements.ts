import * as v from "valibot";
import { CATALOGUE_VERSION } from "../domain/catalogue/catalogue.ts";
import { parseMonth } from "../domain/ledger/month.ts";
import { CLOUDFLARE_USD_PER_1000 } from "../domain/ledger/money.ts";
import { formatMonth, type Month } from "../domain/ledger/period.ts";
import { makeStatement } from "../domain/usage/statement.ts";
import type { KeyCaller, MirrorCaller } from "../http/call.ts";
import { ok, raw } from "../http/reply.ts";
import { CSV, csvResponse } from "../http/csv.ts";
import { shaped, stated } from "../http/field-errors.ts";
import { formatOf, HTML } from "../http/format.ts";
import { NDJSON, ndjson } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { type StatementBody, StatementOutput, toStatement } from "../api/native/statement.ts";
import { statementPage } from "../api/native/statement-page.ts";
import {
  STATEMENT_COLUMNS,
  statementRows,
  toStatementCells,
} from "../api/native/statement-rows.ts";
import { readAccount, readTenant, type TenantAnswer, TENANT_READ } from "../edge/bindings.ts";

const FORMATS = ["json", "html", "csv", "ndjson"] as const;

const monthInput = v.pipe(
  v.string(),
  v.check(stated("must be a month such as 2026-11", (text: string) => parseMonth(text) !== null)),
  v.description("A calendar month of UTC, YYYY-MM."),
);

const generationInput = v.pipe(
  v.string(),
  v.regex(shaped(/^[1-9]\d{0,8}$/, "must be a whole number from 1 on")),
  v.transform(Number),
  v.description("Which life of the tenant's id; the present one, or the last, when absent."),
);

export const getStatement = defineRoute({
  method: "GET",
  path: "/v1/statements/:month",
  mirror: "/admin/tenants/:tenant/statements/:month",
  summary: "A month's statement, to be read, printed or added up",
  description: `JSON, or with \`format\` or \`Accept\` a page (\`${HTML}\`), a table (\`${CSV}\`) or lines (\`${NDJSON}\`). The platform has those of deleted tenants too.`,
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: v.strictObject({ month: monthInput }),
  query: v.strictObject({
    life: v.optional(generationInput),
    format: v.optional(v.picklist(FORMATS)),
  }),
  reply: { status: 200, schema: StatementOutput, otherTypes: [HTML, CSV, NDJSON] },
  failures: TENANT_READ,
  handle: async (call) => {
    const month = parseMonth(call.params.month);
    if (month === null) return NO_STATEMENT;
    const found = await findMonth(call, month, call.query.life ?? null);
    if (found.kind !== "found") return found;
    const { record, lives } = found;
    const body = toStatement(
      {
        tenant: record.tenant,
        generation: record.generation,
        lives,
        month,
        isOpen: record.isOpen,
        asOfMs: record.nowMs,
        priceBook: CATALOGUE_VERSION,
        usdPer1000: CLOUDFLARE_USD_PER_1000,
      },
      makeStatement(record.days, record.adjustments),
    );
    const format = formatOf(call.request, call.query.format, FORMATS);
    return format === "json" ? ok(body) : raw(inForm(body, month, format));
  },
});

const NO_STATEMENT = { kind: "not_found", what: "statement" } as const;

interface Found {
  readonly kind: "found";
  readonly record: TenantAnswer<"readMonth", "month">;
  readonly lives: readonly number[];
}

/**
 * The tenant's object has the month of its present generation, the account's object those of ended ones.
 * A key cannot read the ended ones: a tenant that was made anew may be somebody else.
 */
async function findMonth(
  call: { readonly env: Env; readonly caller: KeyCaller | MirrorCaller },
  month: Month,
  generation: number | null,
) {
  const record = await readTenant(call, (tenant, caller) => tenant.readMonth(caller, month));
  if (call.caller.kind === "key") {
    if (record.kind !== "month") return record;
    if (generation !== null && generation !== record.generation) return NO_STATEMENT;
    return { kind: "found", record, lives: [record.generation] } satisfies Found;
  }
  if (record.kind !== "month" && record.kind !== "not_found") return record;
  const own = record.kind === "month" ? record : null;
  const { tenant } = call.caller;
  const chosen = generation ?? own?.generation ?? null;
  const closed = await readAccount(call.env, (account) =>
    account.readClosedMonth(tenant, chosen === own?.generation ? null : chosen, month),
  );
  if ("kind" in closed) return closed;
  const lives = [...closed.lives, ...(own === null ? [] : [own.generation])];
  if (own !== null && chosen === own.generation)
    return { kind: "found", record: own, lives } satisfies Found;
  if (closed.generation === null)
    return generation === null && record.kind === "not_found" ? record : NO_STATEMENT;
  const { days, generation: ended } = closed;
  const nowMs = Date.now();
  const made = { tenant, generation: ended, days, adjustments: [], isOpen: false, nowMs } as const;
  return { kind: "found", record: { kind: "month", ...made }, lives } satisfies Found;
}

function inForm(body: StatementBody, month: Month, format: "html" | "csv" | "ndjson"): Response {
  if (format === "html") return statementPage(body, crypto.randomUUID());
  const rows = statementRows(body);
  if (format === "ndjson") return ndjson({ lines: rows, next: null });
  const fileName = `statement-${body.tenant}-${formatMonth(month)}.csv`;
  return csvResponse(
    STATEMENT_COLUMNS,
    { lines: rows.map(toStatementCells), next: null },
    fileName,
  );
}
