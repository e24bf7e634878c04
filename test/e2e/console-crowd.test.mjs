// The console over an account of 10,000 tenants: no page asks for all of them, and none says a number
// that is not the account's.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { count, neurons } from "../../console/src/format.ts";
import { Browser, NO_BROWSER } from "./browser.mjs";
import { nameOf, seedAccount } from "./seed-account.mjs";
import { Server } from "./server.mjs";

const TENANTS = 10_000;

/** Requests for data until a page has shown its first. */
const MOST_REQUESTS = 10;

const DAY_MS = 86_400_000;

/** What the first of them have spent today, in micro-neurons: the last has most. */
const SPENT = Array.from({ length: 3_000 }, (_, at) => (at + 1) * 1_000_000);

const server = new Server({ CLOUDFLARE_PLAN: "paid" });
const browser = new Browser();

/** @type {import("playwright-core").Page} */
let page;

/** Requests for data since the last page was opened. @type {string[]} */
let asked = [];

const read = async (/** @type {string} */ path) => (await server.admin("GET", path)).body;

/** Opens a page anew, and waits until it shows this. */
async function open(hash, /** @type {() => import("playwright-core").Locator} */ first) {
  await page.goto("about:blank");
  asked = [];
  const startedMs = performance.now();
  await page.goto(`${server.url}/#${hash}`);
  await first().waitFor();
  const ms = performance.now() - startedMs;
  assert.ok(asked.length <= MOST_REQUESTS, `${hash}: ${asked.join(", ")}`);
  return ms;
}

const rows = () => page.getByRole("table", { name: "Tenants" }).locator("tbody tr");
const idsShown = async () => {
  const texts = await rows().locator("a").allTextContents();
  return texts.filter((text) => /^[a-z0-9-]+$/.test(text));
};

describe("the console of 10,000 tenants", { skip: NO_BROWSER, timeout: 300_000 }, () => {
  before(async () => {
    await Promise.all([server.start(), browser.start()]);
    await server.admin("PATCH", "/admin/account", { daily_cap_neurons: 10_000_000 });
    const key = await server.makeTenant("first", { daily_neurons: 1_000 });
    const { status } = await server.send("POST", "/v1/verdicts", {
      key,
      body: { text: "The lamp works and the colour is lovely." },
    });
    assert.equal(status, 200);
    const day = Math.floor(Date.now() / DAY_MS);
    await server.kill();
    seedAccount(server.accountFile(), { count: TENANTS, day, spent: SPENT });
    await server.start();
    page = await browser.open();
    page.on("request", (request) => {
      const { pathname, search } = new URL(request.url());
      if (/^\/(admin|v1)\//.test(pathname)) asked.push(pathname + search);
    });
    await page.goto(server.url);
    await page.getByLabel("Admin token or tenant key", { exact: true }).fill(server.adminToken);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("navigation", { name: "Main" }).waitFor();
  });
  after(async () => {
    await browser.stop();
    await server.stop();
  });

  test("the overview shows what the account says", async (context) => {
    const ms = await open("/", () => page.getByText("Resets in", { exact: true }));
    context.diagnostic(`its first data after ${ms.toFixed(0)} ms, ${asked.length} requests`);
    const account = await read("/admin/account");
    assert.equal(account.tenant_count, TENANTS + 1);
    const spent = SPENT.reduce((sum, one) => sum + one, 0);
    assert.ok(account.pool.spent_micro_neurons >= spent);
    const figure = page.locator(".figure", { has: page.getByText("Spent", { exact: true }) });
    const text = (await figure.first().textContent()) ?? "";
    assert.ok(text.includes(neurons(account.pool.spent_micro_neurons)), text);
    // Nobody was counted, and nothing says that all is well.
    await page.getByText("Not counted yet").waitFor();
    assert.deepEqual(
      asked.filter((path) => /\/tenants\//.test(path) && !path.startsWith("/admin/account/")),
      [],
      "a tenant's own object was asked",
    );
  });

  test("pages ask for their data as soon as they are there, not after their first frame", async () => {
    for (const { hash, path, first } of [
      {
        hash: "/",
        path: "/admin/account",
        first: () => page.getByText("Resets in", { exact: true }),
      },
      { hash: "/tenants", path: "/admin/tenants", first: () => rows().first() },
    ]) {
      // oxlint-disable no-await-in-loop -- one page after the other
      await open(hash, first);
      const [askedMs, runMs] = await page.evaluate((of) => {
        const starts = performance
          .getEntriesByType("resource")
          .filter(({ name }) => new URL(name).pathname === of)
          .map(({ startTime }) => startTime);
        const [navigation] = performance.getEntriesByType("navigation");
        return [Math.min(...starts), navigation.domContentLoadedEventStart];
      }, path);
      assert.ok(askedMs < runMs, `${hash}: asked at ${askedMs} ms, its script had run at ${runMs}`);
      // oxlint-enable no-await-in-loop
    }
  });

  test("it shows the largest shares of all tenants", async () => {
    await open("/", () => page.getByText("Resets in", { exact: true }));
    asked = [];
    await page.getByText(`Shares of ${count(TENANTS + 1)} tenants`).click();
    const table = page.getByRole("table", { name: "Shares of the pool, in neurons" });
    await table.locator("tbody tr").first().waitFor();
    const { data } = await read("/admin/account/tenants?sort=spent&limit=20");
    const shown = await table.locator("tbody tr").allTextContents();
    assert.equal(shown.length, data.length);
    for (const [at, { tenant, spent_micro_neurons: spent }] of data.entries()) {
      assert.equal(tenant, nameOf(SPENT.length - 1 - at));
      assert.ok(shown[at]?.includes(tenant) && shown[at].includes(neurons(spent)), shown[at]);
    }
    assert.ok(asked.length <= MOST_REQUESTS, asked.join(", "));
  });

  test("the page of tenants says how many there are, and shows some", async (context) => {
    const ms = await open("/tenants", () => rows().first());
    context.diagnostic(`its first data after ${ms.toFixed(0)} ms, ${asked.length} requests`);
    await page.getByText(`${count(TENANTS + 1)} in this account`).waitFor();
    const { data } = await read("/admin/tenants?limit=25");
    assert.deepEqual(
      await idsShown(),
      data.map(({ id }) => id),
    );
  });

  test("it finds one of the last by the beginning of its id", async () => {
    await open("/tenants", () => rows().first());
    asked = [];
    const wanted = nameOf(TENANTS - 1);
    await page.getByRole("searchbox").fill(wanted);
    await page.getByRole("row", { name: wanted }).waitFor();
    assert.deepEqual(await idsShown(), [wanted]);
    assert.ok(asked.length <= MOST_REQUESTS, asked.join(", "));
  });

  test("it sorts all of them by what they spent, page by page", async () => {
    await open("/tenants", () => rows().first());
    asked = [];
    await page.getByLabel("Order", { exact: true }).selectOption("spent");
    await page.getByRole("row", { name: nameOf(SPENT.length - 1) }).waitFor();
    await page.getByRole("button", { name: "Show 25 more" }).click();
    await page.getByRole("row", { name: nameOf(SPENT.length - 50) }).waitFor();
    const largest = Array.from({ length: 50 }, (_, at) => nameOf(SPENT.length - 1 - at));
    assert.deepEqual(await idsShown(), largest);
    assert.ok(asked.length <= MOST_REQUESTS, asked.join(", "));
  });

  test("nothing failed on any page", () => assert.deepEqual(browser.complaints, []));
});
