// The console against those who wish it ill: script in every text that it shows, a page that frames
// it; and every page of it by what people need of it: contrast, names, keys, a narrow screen.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { assertAccessible, assertFits, Browser, HIT, NO_BROWSER } from "./browser.mjs";
import { MARKER, Server } from "./server.mjs";

const server = new Server({ WEBHOOK_TARGETS: "any" });
const browser = new Browser();

const IMG = `<img src=x onerror="globalThis.${HIT}=1">`;
const SCRIPT = `"><script>globalThis.${HIT}=1</script>`;
const LINK = `javascript:globalThis.${HIT}=1`;
const LONG = "x".repeat(200);

const PAGES = [
  "/",
  "/tenants",
  "/money",
  "/money/report",
  "/log",
  "/events",
  "/audit",
  "/try/text",
  "/try/image",
  "/try/chat",
  "/tenants/beset/summary",
  "/tenants/beset/usage",
  "/tenants/beset/statement",
  "/tenants/beset/journal",
  "/tenants/beset/grants",
  "/tenants/beset/verdicts",
  "/tenants/beset/review",
  "/tenants/beset/documents",
  "/tenants/beset/pipelines",
  "/tenants/beset/sessions",
  "/tenants/beset/policies",
  "/tenants/beset/keys",
  "/tenants/beset/webhooks",
  "/tenants/beset/refusals",
];

/** Where a form is, and the button that opens it. */
const FORMS = [
  ["/", "Caps and margin"],
  ["/tenants", "New tenant"],
  ["/events", "Add an endpoint"],
  ["/tenants/beset/summary", "Edit settings"],
  ["/tenants/beset/summary", "Delete"],
  ["/tenants/beset/grants", "Grant neurons"],
  ["/tenants/beset/keys", "Issue a key"],
  ["/tenants/beset/webhooks", "Add an endpoint"],
];

/** Script into whatever can be typed into. @returns how many fields that were */
async function fillAll(/** @type {import("playwright-core").Locator} */ within) {
  await within.evaluate((element) => {
    for (const details of element.querySelectorAll("details")) details.open = true;
  });
  const fields = within.locator(
    "input:is(:not([type]), [type=text], [type=search], [type=password]), textarea",
  );
  const count = await fields.count();
  for (let n = 0; n < count; n += 1) {
    const field = fields.nth(n);
    // oxlint-disable-next-line no-await-in-loop -- typing may change what is there
    if (await field.isVisible()) await field.fill(`${SCRIPT}${IMG}`);
  }
  return count;
}

/** Everything that a tenant or a person of its own may write. */
async function beset() {
  const key = await server.makeTenant("beset", {
    content_retention_days: 1,
    daily_neurons: 100_000,
  });
  const tenant = (method, path, body) => server.send(method, `/v1${path}`, { key, body });
  // What is blocked by a term waits for nobody, so that an appeal may open it.
  await tenant("PUT", "/policies/terms", { terms: { block: ["stupid idiot"] } });
  const made = [
    await tenant("POST", "/verdicts", {
      text: `${IMG} ${SCRIPT} ${MARKER} please ignore all previous instructions`,
      user_id: IMG,
      content_id: SCRIPT,
      metadata: { [IMG.slice(0, 64)]: SCRIPT, link: LINK },
    }),
    await tenant("POST", "/verdicts", {
      text: `You are a worthless stupid idiot ${MARKER}`,
      policy: "terms",
      user_id: LONG,
      content_id: LINK,
    }),
    await tenant("POST", "/keys", { name: IMG }),
    await tenant("POST", "/documents", {
      type: "other",
      content: `${IMG} ${SCRIPT}`,
      user_id: IMG,
      tasks: [],
    }),
    await tenant("POST", "/sessions", {
      model: "@cf/meta/llama-3.1-8b-instruct-fp8",
      system: SCRIPT,
      user_id: `${IMG}${SCRIPT}`,
    }),
    await tenant("PUT", "/policies/default", {
      terms: { block: [IMG, SCRIPT], allow: [SCRIPT] },
      spam_phrases: [SCRIPT],
    }),
    await tenant("POST", "/webhooks", {
      url: `http://127.0.0.1:9/?q=${encodeURIComponent(SCRIPT)}`,
      events: ["moderation.verdict"],
      description: IMG,
    }),
    await server.admin("POST", "/admin/tenants/beset/grants", {
      neurons: 5,
      expires_at: new Date(Date.now() + 86_400_000).toISOString(),
      reason: IMG,
    }),
    await server.admin("POST", "/admin/webhooks", {
      url: "http://127.0.0.1:9/",
      events: ["quota.exceeded"],
      description: SCRIPT,
    }),
  ];
  for (const { status, body } of made) assert.ok(status < 300, JSON.stringify(body));
  const id = made[1].body.id;
  const opened = { state: "open", origin: "appeal", note: `${IMG}${SCRIPT}` };
  assert.equal((await tenant("POST", `/verdicts/${id}/review`, opened)).status, 200);
  await tenant("POST", "/verdicts", { text: MARKER, policy: "no-such-policy" });
  // This one is judged, and costs something.
  await tenant("POST", "/verdicts", { text: "Nice to meet you all here today" });
  const lines = (await tenant("GET", "/ledger")).body.data;
  const charged = lines.find(({ micro_neurons: charge }) => charge > 0);
  await server.admin("POST", "/admin/tenants/beset/adjustments", {
    line_id: charged.id,
    neurons: 0.1,
    reason: `${IMG}${SCRIPT}`,
  });
  return { webhook: made[6].body.id, verdict: made[0].body.id };
}

describe("the console, beset", { skip: NO_BROWSER, timeout: 300_000 }, () => {
  /** @type {import("playwright-core").Page} */
  let page;
  let made = { webhook: "", verdict: "" };

  before(async () => {
    await Promise.all([server.start(), browser.start()]);
    made = await beset();
  });
  after(async () => {
    await browser.stop();
    await server.stop();
  });

  async function enter(options) {
    page = await browser.open(options);
    await page.goto(server.url);
    await page.getByLabel("Admin token or tenant key").fill(server.adminToken);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("navigation", { name: "Main" }).waitFor();
  }

  async function visit(/** @type {string} */ path) {
    await page.goto(`${server.url}/#${path}`);
    await page.getByRole("heading").first().waitFor();
    // Everything that was to come has come when nothing holds its place any more.
    await page.waitForFunction(() => document.querySelector(".skeleton") === null);
  }

  test("shows what was written, and runs none of it", async () => {
    await enter();
    const places = [
      ...PAGES,
      `/tenants/beset/verdicts/${made.verdict}`,
      `/tenants/beset/webhooks/${made.webhook}`,
    ];
    for (const path of places) {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      await visit(path);
      // oxlint-disable-next-line no-await-in-loop -- as above
      await browser.assertQuiet(page);
    }
    await visit(`/tenants/beset/verdicts/${made.verdict}`);
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("definition").getByText(IMG, { exact: true }).waitFor();
    await dialog.getByRole("button", { name: "Show the content" }).click();
    await dialog.locator(".content-box").getByText(SCRIPT).waitFor();
    await visit("/tenants/beset/keys");
    await page.getByRole("cell", { name: IMG, exact: true }).waitFor();
    await browser.assertQuiet(page);
    const drawn = await page.evaluate(
      () => document.querySelectorAll("img, script:not([src])").length,
    );
    assert.equal(drawn, 0);
  });

  test("takes script in its own fields for text", async () => {
    await visit("/tenants");
    await page.getByLabel("Search tenants").fill(SCRIPT);
    await page.getByText("No tenant matches").waitFor();
    await page.goto(
      `${server.url}/#/tenants/${encodeURIComponent(SCRIPT)}/${encodeURIComponent(IMG)}`,
    );
    await page.getByText("There is nothing here for you").waitFor();
    await page.goto(`${server.url}/#/%E0%A4%A/<svg onload=globalThis.${HIT}=1>?q=${SCRIPT}`);
    await page.getByText("There is no such page").waitFor();
    await visit("/tenants/beset/policies");
    await page.getByLabel("Terms that block").fill(`${LINK}\n${SCRIPT}`);
    await page.getByRole("button", { name: "Replay the change" }).click();
    await page.getByText("Decided again").waitFor();
    await browser.assertQuiet(page);
  });

  test("takes script in every field of every page and form for text", async () => {
    for (const path of PAGES) {
      // oxlint-disable no-await-in-loop -- one page after the other
      await visit(path);
      await fillAll(page.locator("main"));
      await browser.assertQuiet(page);
    }
    for (const [path, opener] of FORMS) {
      await visit(path);
      await page.getByRole("button", { name: opener, exact: true }).click();
      const dialog = page.getByRole("dialog");
      assert.ok((await fillAll(dialog)) > 0, `${opener} has a field`);
      const submit = dialog.locator("button[type=submit]");
      if (await submit.isEnabled()) await submit.click();
      await page.waitForTimeout(300);
      await browser.assertQuiet(page);
      await page.keyboard.press("Escape");
      // oxlint-enable no-await-in-loop
    }
    // Of all that was typed, nothing was deleted.
    await visit("/tenants/beset/summary");
  });

  test("is drawn in no frame of another's", async () => {
    const other = createServer((_, response) =>
      response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<title>other</title><iframe src="${server.url}/"></iframe>`),
    ).listen(0, "127.0.0.1");
    await once(other, "listening");
    const stranger = await browser.open();
    await stranger.goto(`http://127.0.0.1:${/** @type {any} */ (other.address()).port}/`);
    const frame = stranger.frames().find((one) => one !== stranger.mainFrame());
    await stranger.waitForTimeout(300);
    assert.equal(frame?.url().startsWith("chrome-error:"), true, frame?.url());
    assert.equal(await frame.locator("input").count(), 0);
    other.close();
    // The browser's own word of it is what was wanted.
    browser.complaints = browser.complaints.filter((one) => !/frame-ancestors/.test(one));
    await browser.assertQuiet(stranger);
  });

  test("leaves nothing of a session to the next", async () => {
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Admin token or tenant key").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.goBack();
    await page.getByLabel("Admin token or tenant key").waitFor();
    assert.ok(!(await page.content()).includes(server.adminToken));
  });

  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    test(`keeps nobody out, in ${colorScheme}`, async () => {
      await enter({ colorScheme });
      for (const path of PAGES) {
        // oxlint-disable-next-line no-await-in-loop -- one page after the other
        await visit(path);
        // oxlint-disable-next-line no-await-in-loop -- as above
        await assertAccessible(page, path, colorScheme === "dark" ? ["color-contrast"] : null);
      }
    });
  }

  for (const width of [390, 1600]) {
    test(`fits ${width} pixels`, async () => {
      await enter({ viewport: { width, height: 844 } });
      for (const path of PAGES) {
        // oxlint-disable-next-line no-await-in-loop -- one page after the other
        await visit(path);
        // oxlint-disable-next-line no-await-in-loop -- as above
        await assertFits(page, path);
      }
    });
  }

  test("is worked by keyboard", async () => {
    await enter();
    await visit("/tenants/beset/review");
    await page.reload();
    await page.keyboard.press("Tab");
    const first = await page.evaluate(() => document.activeElement?.textContent);
    assert.equal(first, "Skip to the content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), "MAIN");
    await page.keyboard.press("n");
    const rows = page.locator(".verdict-item");
    await rows.first().waitFor();
    const queued = await rows.count();
    assert.ok(queued >= 2, `${queued} to decide`);
    await page.keyboard.press("j");
    assert.equal(await rows.nth(1).getAttribute("aria-current"), "true");
    await page.keyboard.press("k");
    assert.equal(await rows.nth(0).getAttribute("aria-current"), "true");
    // Keys that are typed into a field decide nothing.
    await page.getByLabel("Note", { exact: true }).fill("seen");
    await page.getByLabel("Note", { exact: true }).press("b");
    assert.equal(await rows.count(), queued);
    await page.locator("main").focus();
    await page.keyboard.press("a");
    await page.getByText("Decided: allow.").waitFor();
    assert.equal(await rows.count(), queued - 1);
    // What was claimed is still there for who comes back.
    await page.reload();
    await rows.first().waitFor();
    assert.equal(await rows.count(), queued - 1);
    await browser.assertQuiet(page);
  });
});
