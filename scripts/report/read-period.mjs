// Reads what a report of a period is made of.
import { ReportFailure } from "./report-failure.mjs";

const TIMEOUT_MS = 60_000;

async function get({ url, token }, /** @type {string} */ path) {
  let response;
  let body;
  try {
    response = await fetch(url + path, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    body = await response.json();
  } catch (error) {
    throw new ReportFailure(`${url} does not answer (${error.cause?.code ?? error.name}).`);
  }
  if (response.ok) return body;
  if (response.status === 401) throw new ReportFailure("The server does not accept this token.");
  const wrong = (body.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`);
  throw new ReportFailure([body.detail ?? `Status ${response.status}.`, ...wrong].join("\n  "));
}

/** Every item of a list that comes in pages. */
async function* pages(server, /** @type {string} */ path) {
  const and = path.includes("?") ? "&" : "?";
  let cursor = "";
  do {
    // oxlint-disable-next-line no-await-in-loop -- a page says where the next one is
    const page = await get(server, path + cursor);
    yield page;
    cursor = page.has_more ? `${and}cursor=${encodeURIComponent(page.next_cursor)}` : "";
  } while (cursor !== "");
}

/** @returns {Promise<import("../../src/domain/usage/cost-report.ts").Period>} */
export async function readPeriod(server, { from, to, tenant }) {
  const base = tenant === null ? "/admin" : `/admin/tenants/${encodeURIComponent(tenant)}`;
  const models = [];
  let totals = null;
  const usage = `${base}/usage?from=${from}&to=${to}&group_by=model&limit=200`;
  for await (const page of pages(server, usage)) {
    models.push(...page.data);
    totals ??= page.totals;
  }
  const costs = await get(server, `${base}/costs?from=${from}&to=${to}`);
  return {
    from,
    to,
    tenant,
    models,
    totals,
    services: costs.totals.services,
    documents: costs.documents,
    executions: costs.executions,
  };
}
