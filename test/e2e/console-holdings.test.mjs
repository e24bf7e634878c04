// What a tenant keeps, in the console: sessions, documents and pipeline runs, how each stands, and how an
// operator ends it.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertAccessible, assertFits, Browser, NO_BROWSER } from "./browser.mjs";
import { MARKER, Server } from "./server.mjs";

const server = new Server();
const browser = new Browser();

/** @type {import("playwright-core").Page} */
let page;
let key = "";

const go = (/** @type {string} */ hash) => page.goto(`${server.url}/#/tenants/keeper/${hash}`);
const button = (/** @type {string} */ name) => page.getByRole("button", { name, exact: true });
const dialog = () => page.getByRole("dialog");
const rowOf = (/** @type {string} */ id) => page.getByRole("row").filter({ hasText: id });

const make = async (/** @type {string} */ path, /** @type {object} */ body) => {
  const made = await server.send("POST", path, { key, body });
  assert.ok(made.status < 300, JSON.stringify(made.body));
  return made.body;
};

async function runOf(/** @type {object} */ wanted, /** @type {string} */ state) {
  const { id } = await make("/v1/pipelines/runs", wanted);
  for (let n = 0; n < 1200; n += 1) {
    // oxlint-disable-next-line no-await-in-loop -- until it is so
    const { body } = await server.send("GET", `/v1/pipelines/runs/${id}`, { key });
    if (body.state === state) return body;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await sleep(50);
  }
  const { body: last } = await server.send("GET", `/v1/pipelines/runs/${id}`, { key });
  return assert.fail(`the run was never ${state}: ${JSON.stringify(last)}`);
}

describe("what a tenant keeps, in the console", { skip: NO_BROWSER, timeout: 300_000 }, () => {
  before(async () => {
    await Promise.all([server.start(), browser.start()]);
    key = await server.makeTenant("keeper", { daily_neurons: 10_000 });
    page = await browser.open();
    await page.goto(server.url);
    await page.getByLabel("Admin token or tenant key", { exact: true }).fill(server.adminToken);
    await button("Sign in").click();
    await page.getByRole("navigation", { name: "Main" }).waitFor();
  });
  after(async () => {
    await browser.stop();
    await server.stop();
  });

  test("sessions: the list, the state of one, and its end", async () => {
    const { id } = await make("/v1/sessions", {
      model: "@cf/meta/llama-3.1-8b-instruct-fp8",
      system: `You know ${MARKER}`,
      user_id: "u_ada",
      max_turns: 7,
    });
    await make(`/v1/sessions/${id}/messages`, {
      messages: [{ role: "user", content: `Tell me of ${MARKER}` }],
    });
    await go("sessions");
    await rowOf(id).getByText("u_ada").waitFor();
    await assertAccessible(page, "the sessions of a tenant");
    await rowOf(id).getByRole("link").click();
    await dialog().getByText("1 of 7 at most").waitFor();
    assert.match((await dialog().textContent()) ?? "", /idle.*Expires, UTC.*in \d+ min.* after/s);
    await assertAccessible(page, "a session");
    assert.ok(!(await page.content()).includes(MARKER));
    await page.keyboard.press("Escape");
    await button(`Delete the session ${id}`).click();
    await button("Delete it").click();
    await page.getByText("No session").waitFor();
    assert.equal((await server.send("GET", `/v1/sessions/${id}`, { key })).status, 404);
  });

  test("documents: what was read of each, and its deletion", async () => {
    const content = `The parcel of ${MARKER} came on Friday. The box was dented, the lamp works.`;
    const report = { type: "report", content, user_id: "u_ada", tasks: ["summary"] };
    const { id } = await make("/v1/documents", report);
    const other = await make("/v1/documents", { type: "email", content, tasks: [] });
    await go("documents");
    await rowOf(id).getByText("1 task, 100 %").waitFor();
    assert.match((await rowOf(id).textContent()) ?? "", /ready.*report.*u_ada.*1 task, 100 %/s);
    await assertAccessible(page, "the documents of a tenant");
    await page.getByLabel("Type", { exact: true }).selectOption("email");
    await rowOf(id).waitFor({ state: "detached" });
    await rowOf(other.id).waitFor();
    assert.ok(!(await page.content()).includes(MARKER));
    await button(`Delete the document ${other.id}`).click();
    await button("Delete it").click();
    await page.getByText("None matches").waitFor();
    assert.equal((await server.send("GET", `/v1/documents/${other.id}`, { key })).status, 404);
    assert.equal((await server.send("GET", `/v1/documents/${id}`, { key })).status, 200);
  });

  test("pipelines: how far a run is, its steps, and its cancellation", async () => {
    const kind = { type: "other", content: `Nice to meet you all here today, ${MARKER}` };
    const rude = { type: "other", content: "You are a worthless stupid idiot" };
    const steps = ["moderate", "store"];
    const done = await runOf({ documents: [kind, rude], steps }, "completed");
    await go("pipelines");
    await rowOf(done.id).getByText("2 of 2").waitFor();
    assert.equal(await button(`Cancel the run ${done.id}`).count(), 0);
    await assertAccessible(page, "the runs of a tenant");
    await rowOf(done.id).getByRole("link").click();
    const table = dialog().getByRole("table", { name: "Steps" });
    await table.getByRole("row").nth(4).waitFor();
    assert.match((await table.textContent()) ?? "", /moderate.*succeeded.*store.*failed.*blocked/s);
    assert.match((await dialog().textContent()) ?? "", /1 succeeded, 1 failed, 0 pending of 2/);
    await assertAccessible(page, "a run");
    const wide = page.viewportSize();
    await page.setViewportSize({ width: 390, height: 844 });
    await assertFits(page, "a run");
    await page.setViewportSize(wide);
    assert.ok(!(await page.content()).includes(MARKER));
    await page.keyboard.press("Escape");

    // The day has too few neurons for all of them, so that the run waits for the next one.
    const changed = await server.admin("PATCH", "/admin/tenants/keeper", { daily_neurons: 60 });
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
    const waits = {
      documents: Array.from({ length: 60 }, () => kind),
      steps: ["moderate"],
      resume: "next_period",
    };
    const { id } = await runOf(waits, "waiting");
    await button("Refresh").click();
    await button(`Cancel the run ${id}`).click();
    await button("Cancel the run").click();
    await rowOf(id)
      .getByText(/^cancel/)
      .waitFor();
  });

  test("nothing was run or refused by the pages", () => assert.deepEqual(browser.complaints, []));
});
