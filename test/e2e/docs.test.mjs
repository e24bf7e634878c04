// /docs as a browser shows it: the whole document, from this server alone, and nothing that its
// policy had to stop.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, assertFits, Browser, NO_BROWSER } from "./browser.mjs";
import { sharedServer } from "./server.mjs";

/** Reading a document of a megabyte takes a second; a busy machine several times that. */
const SHOWN_MS = 60_000;

const server = sharedServer();
const browser = new Browser();

before(() => NO_BROWSER || browser.start());
after(() => browser.stop());

/** A visit, and all that it asked for. */
async function visit(path, change = async (_page) => {}) {
  const page = await browser.open();
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await change(page);
  await page.goto(server.url + path);
  return { page, asked };
}

test("the document is shown, and nothing is asked of others", { skip: NO_BROWSER }, async () => {
  const { page, asked } = await visit("/docs");
  const { body: document } = await server.send("GET", "/openapi.json");
  await page.getByRole("heading", { name: "Neurogate" }).waitFor({ timeout: SHOWN_MS });
  const text = await page.locator("body").innerText();
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map(({ summary }) => ({ path, summary })),
  );
  assert.ok(operations.length > 100);
  for (const { path, summary } of operations) {
    assert.ok(text.includes(path), `${path} is not shown`);
    assert.ok(text.includes(summary), `"${summary}" is not shown`);
  }
  // It is laid out: its styles were let through.
  const menu = page.getByRole("link", { name: "verdicts", exact: true }).first();
  assert.ok((await menu.boundingBox()).x < 50);
  await page.getByRole("searchbox", { name: "Search" }).fill("erasure");
  await page
    .getByRole("link", { name: /^Erase/ })
    .first()
    .waitFor({ timeout: SHOWN_MS });
  assert.equal(await page.locator("#postVerdicts").count(), 0, "what was not asked for is gone");
  // What lies below a body is drawn when it is opened, step by step.
  await page.getByRole("searchbox", { name: "Search" }).fill("moderate a text");
  const operation = page.locator("#postVerdicts");
  await operation.getByText("Body", { exact: true }).click();
  await operation.getByText("images", { exact: true }).waitFor();
  await operation.getByText("Members of images").click();
  await operation.getByText("base64", { exact: true }).waitFor();
  // A member's description, and what it must keep to.
  await operation.getByText("An https URL.", { exact: true }).waitFor();
  await operation.getByText("at most 2048 characters", { exact: true }).waitFor();
  await assertAccessible(page, "the document");
  await browser.assertQuiet(page);
  const elsewhere = asked.filter((url) => !url.startsWith(`${server.url}/`));
  assert.deepEqual(
    elsewhere.filter((url) => !/^(?:blob:|data:)/.test(url)),
    [],
  );
  await page.close();
});

test("what cannot be loaded is said", { skip: NO_BROWSER }, async () => {
  const { page } = await visit("/docs", (each) => each.route("**/viewer-*.js", (r) => r.abort()));
  await page.getByText("The viewer could not be loaded.").waitFor({ timeout: SHOWN_MS });
  await page.close();
  const silent = await visit("/docs", (each) => each.route("**/openapi.json", (r) => r.abort()));
  await silent.page.getByText("could not be shown").waitFor({ timeout: SHOWN_MS });
  await silent.page.close();
});

test(
  "it fits a telephone, and a link to an operation leads there",
  { skip: NO_BROWSER },
  async () => {
    const page = await browser.open({ viewport: { width: 390, height: 844 } });
    await page.goto(`${server.url}/docs#postVerdicts`);
    await page.locator("#postVerdicts").waitFor({ timeout: SHOWN_MS });
    await page.waitForFunction(
      () => Math.abs(document.querySelector("#postVerdicts").getBoundingClientRect().top) < 400,
    );
    await assertFits(page, "the document");
    await page.close();
  },
);

test("another site cannot frame it", { skip: NO_BROWSER }, async () => {
  const page = await browser.open();
  for (const path of ["/docs", "/"]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await page.setContent(`<iframe src="${server.url}${path}"></iframe>`);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await page.waitForLoadState("networkidle");
    const [, frame] = page.frames();
    // oxlint-disable-next-line no-await-in-loop -- as above
    assert.doesNotMatch(await frame.content(), /Neurogate/);
  }
  await page.close();
});
