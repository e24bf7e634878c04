// Compares the server's answers about its books with the rows that were read while it was down.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { dayLimit } from "./load.mjs";

const DAY_MS = 86_400_000;

/** Verdicts of one life that an audit reads one by one. The last audit reads all. */
const SAMPLE = 25;

/** A hold may expire between two requests. Then both are sent again. */
const TRIES = 4;

export const dayName = (/** @type {number} */ day) =>
  new Date(day * DAY_MS).toISOString().slice(0, 10);

/** One request. A broken connection throws. */
export async function send(url, method, path, { key, body, headers = {} } = {}) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(key && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get("content-type") ?? "");
  const { status, headers: replied } = response;
  return { status, headers: replied, body: isJson && text !== "" ? JSON.parse(text) : text };
}

async function read(url, path, ask) {
  const { status, body } = await send(url, "GET", path, ask);
  assert.equal(status, 200, `${path}: ${JSON.stringify(body).slice(0, 500)}`);
  return body;
}

/** Checks that limits, usage, journal and invariants of a tenant agree with each other and with its rows. */
export async function auditAnswers(
  url,
  tenant,
  key,
  /** @type {import("./rows.mjs").Rows} */ rows,
) {
  for (let left = TRIES; ; left -= 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- once, unless a hold ended meanwhile
      return await auditOnce(url, tenant, key, rows);
    } catch (error) {
      if (left === 1) throw error;
      // oxlint-disable-next-line no-await-in-loop -- as above
      await sleep(50);
    }
  }
}

async function auditOnce(url, tenant, key, rows) {
  const at = (what) => `${tenant}: ${what}`;
  let invariants = await read(url, "/v1/invariants", { key });
  // oxlint-disable-next-line no-await-in-loop -- until all lines were checked
  while (!invariants.complete) invariants = await read(url, "/v1/invariants", { key });
  const broken = invariants.data.filter(({ violations }) => violations !== 0);
  assert.deepEqual(broken, [], at("invariants"));
  assert.equal(invariants.holds, true);

  const limits = await read(url, "/v1/limits", { key });
  const limit = dayLimit(tenant);
  const { posted_micro_neurons: posted, pending_micro_neurons: pending } = limits;
  if (limit !== null) assert.ok(posted + pending <= limit, at(`${posted} + ${pending} admitted`));

  const before = new Map(rows.periods.map((period) => [dayName(period.day), period.posted]));
  assert.ok(posted >= (before.get(limits.day) ?? 0), at("posted went back over a restart"));

  const ledger = await fetch(`${url}/v1/ledger`, {
    headers: { authorization: `Bearer ${key}`, accept: "application/x-ndjson" },
  });
  const lines = (await ledger.text())
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  const known = new Map(rows.journal.map((row) => [row.id, row]));
  assert.equal(new Set(lines.map(({ id }) => id)).size, lines.length, at("a line is there twice"));
  for (const [day, ofDay] of Map.groupBy(lines, (line) => line.day)) {
    const sum = ofDay.reduce((total, line) => total + line.micro_neurons, 0);
    const least = before.get(day) ?? 0;
    assert.ok(sum >= least, at(`${day}: the journal adds up to less than before`));
    if (day === limits.day) assert.equal(sum, posted, at(`${day}: the journal is not posted`));
  }
  const ended = rows.journal.filter(({ outcome }) => outcome !== "pending");
  assert.ok(lines.length >= ended.length, at("the journal has lost lines"));
  for (const line of lines) {
    const row = known.get(line.id);
    assert.ok(row, at(`${line.id} has no call`));
    if (row.outcome === "pending") continue;
    const amount = row.quota + row.granted + row.overage;
    assert.deepEqual([line.outcome, line.micro_neurons], [row.outcome, amount], at(line.id));
  }
  const usage = await read(url, "/v1/usage?from=2026-01-01&to=2026-12-31&limit=200", { key });
  const total = lines.reduce((sum, line) => sum + line.micro_neurons, 0);
  assert.equal(usage.totals.micro_neurons, total, at("usage is not the journal"));
  return { limits, lines };
}

/** Checks that the verdicts that clients got can be read back unchanged. */
export async function auditVerdicts(
  url,
  key,
  /** @type {import("./load.mjs").Call[]} */ calls,
  all,
) {
  const returned = calls.flatMap(({ seen }) => seen.flatMap(({ verdicts }) => verdicts));
  const step = all ? 1 : Math.max(1, Math.ceil(returned.length / SAMPLE));
  const some = returned.filter((_, at) => at % step === 0);
  for (let from = 0; from < some.length; from += SAMPLE) {
    // oxlint-disable-next-line no-await-in-loop -- a few at once, not thousands
    await Promise.all(
      some.slice(from, from + SAMPLE).map(async ({ id, decision }) => {
        const verdict = await read(url, `/v1/verdicts/${id}`, { key });
        assert.deepEqual([verdict.id, verdict.decision], [id, decision]);
      }),
    );
  }
  return some.length;
}

/** Checks under load that the admitted calls of a tenant never exceed its limits. */
export class Snapshots {
  /** The highest `posted` seen, by tenant and day: it never shrinks. @type {Map<string, number>} */
  #posted = new Map();
  /** Ended lines as they were first shown. @type {Map<string, string>} */
  #lines = new Map();
  count = 0;
  /** Snapshots with more than nine tenths of the limit in use; the others prove little. */
  nearLimit = 0;

  /** An ended line never changes again, except that a late settle adds the verdict to an expired line. */
  async lines(url, tenant, key) {
    const { status, body } = await send(url, "GET", "/v1/ledger?limit=100", { key });
    if (status === 401) return; // as below
    assert.equal(status, 200, JSON.stringify(body));
    for (const { verdict_id: _, ...line } of body.data) {
      const now = JSON.stringify(line);
      const before = this.#lines.get(line.id) ?? now;
      assert.equal(now, before, `${tenant}: a line changed after it was shown`);
      this.#lines.set(line.id, now);
    }
  }

  async look(url, tenant, key) {
    const { status, body } = await send(url, "GET", "/v1/limits", { key });
    if (status === 401) return; // the key was rotated meanwhile
    assert.equal(status, 200, JSON.stringify(body));
    const { day, posted_micro_neurons: posted, pending_micro_neurons: pending } = body;
    const limit = dayLimit(tenant);
    const used = posted + pending;
    if (limit !== null) {
      assert.ok(used <= limit, `${tenant}: ${posted} + ${pending} under a limit of ${limit}`);
    }
    if (tenant !== "changing" && limit !== null) assert.equal(body.limit_micro_neurons, limit);
    const name = `${tenant} ${day}`;
    assert.ok(posted >= (this.#posted.get(name) ?? 0), `${tenant}: posted went back on ${day}`);
    this.#posted.set(name, posted);
    this.count += 1;
    if (limit !== null && used > limit * 0.9) this.nearLimit += 1;
  }
}
