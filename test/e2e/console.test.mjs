// The console in a real browser on the real server, as the people of a platform team use it.
// oxlint-disable typescript/no-floating-promises -- the runner waits for its tests
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertAccessible, Browser, NO_BROWSER } from "./browser.mjs";
import { Receiver } from "./receiver.mjs";
import { MARKER, Server } from "./server.mjs";
import { pngPicture } from "./tiny-picture.mjs";

const server = new Server({ WEBHOOK_TARGETS: "any" });
const browser = new Browser();
const receiver = new Receiver();

const PICTURE = Buffer.from(pngPicture(MARKER), "base64");

const RUDE = `I know where you live and I will kill you tonight, ${MARKER}`;

/** @type {import("playwright-core").Page} */
let page;

const go = (/** @type {string} */ hash) => page.goto(`${server.url}/#${hash}`);
const button = (/** @type {string} */ name) => page.getByRole("button", { name, exact: true });
const field = (/** @type {string} */ name) => page.getByLabel(name, { exact: true });
const dialog = () => page.getByRole("dialog");
/** The number that stands under a label. */
const figure = async (/** @type {string} */ label) => {
  const text = await page
    .locator(".figure", { has: page.getByText(label, { exact: true }) })
    .locator(".figure-value")
    .textContent();
  return Number(text?.replaceAll(/[^\d.]/g, ""));
};

async function signIn(/** @type {string} */ token) {
  await field("Admin token or tenant key").fill(token);
  await button("Sign in").click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
}

async function until(what, holds) {
  for (let n = 0; n < 1200; n += 1) {
    // oxlint-disable-next-line no-await-in-loop -- until it holds
    if (await holds()) return;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await sleep(50);
  }
  assert.fail(`${what} did not come`);
}

describe("the console", { skip: NO_BROWSER, timeout: 300_000 }, () => {
  let key = "";

  before(async () => {
    await Promise.all([server.start(), browser.start(), receiver.start()]);
    page = await browser.open();
  });
  after(async () => {
    receiver.stop();
    await browser.stop();
    await server.stop();
  });

  test("lets nobody in with a wrong token, and says so", async () => {
    await page.goto(server.url);
    await field("Admin token or tenant key").fill("not-the-token");
    await button("Sign in").click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match((await alert.textContent()) ?? "", /No such token or key.*req_[0-9A-Z]{26}/s);
    await button("Continue with Cloudflare Access").click();
    await page.getByText("Cloudflare Access did not sign you in").waitFor();
    await assertAccessible(page, "the page to sign in");
  });

  test("lets the platform in, with the token in no address and no cookie", async () => {
    await signIn(server.adminToken);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    assert.ok(!page.url().includes(server.adminToken));
    assert.deepEqual(await page.context().cookies(), []);
    const stored = await page.evaluate(() => JSON.stringify(localStorage));
    assert.ok(!stored.includes(server.adminToken));
    await page.reload();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  });

  test("makes a tenant, and says at the field what the server will not take", async () => {
    await go("/tenants");
    await button("New tenant").click();
    await field("Id").fill("Story!");
    await page.getByText("Up to 39 lower-case letters").waitFor();
    await field("Id").fill("story");
    await field("Neurons a day").fill("0.1234567");
    await button("Make tenant").click();
    await dialog().getByText("must have at most six decimals").first().waitFor();
    await assertAccessible(page, "a dialog with an error");
    await field("Neurons a day").fill("25");
    await button("Make tenant").click();
    await page.getByRole("heading", { name: "story" }).waitFor();
  });

  test("issues a key and shows it once", async () => {
    await button("Issue a key").click();
    await field("Name").fill("backend");
    await field("Role").selectOption("manage");
    await button("Issue").click();
    key = (await dialog().locator("[data-secret]").textContent()) ?? "";
    assert.match(key, /^ng_story_/);
    await assertAccessible(page, "a key that is shown");
    await button("I have it").click();
    await page.getByRole("cell", { name: "backend", exact: true }).waitFor();
    assert.ok(!(await page.content()).includes(key));
  });

  test("runs a verdict, shows its stages and cost, and the same call without the key", async () => {
    await go("/try/text");
    await field("Or a key that you have").fill(key);
    await button("Use it").click();
    await field("Text to judge").fill(RUDE);
    await button("What would it cost?").click();
    await page.getByText(/neurons; it would be admitted/).waitFor();
    await button("Judge it").click();
    await page.getByText("block", { exact: true }).first().waitFor();
    assert.ok((await figure("Cost")) > 0);
    await page.getByRole("cell", { name: "judge" }).waitFor();
    const code = (await page.locator("pre.code").textContent()) ?? "";
    assert.match(code, /Bearer \$NEUROGATE_KEY/);
    assert.ok(!(await page.content()).includes(key));
    await assertAccessible(page, "a verdict");
  });

  test("judges a picture", async () => {
    await page.getByRole("link", { name: "Picture" }).click();
    const picture = { name: "tiny.png", mimeType: "image/png", buffer: PICTURE };
    await field("Picture to judge").setInputFiles(picture);
    await button("Judge it").click();
    await page.getByRole("cell", { name: "images/0" }).first().waitFor();
    await page.getByAltText("The picture that was chosen").waitFor();
    await assertAccessible(page, "a picture's verdict");
  });

  test("chats, as the answer is written", async () => {
    await page.getByRole("link", { name: "Chat" }).click();
    await button("Send").click();
    await until("the cost", async () => (await figure("Cost")) > 0);
    assert.notEqual(await page.locator(".answer").textContent(), "");
    await assertAccessible(page, "a chat");
  });

  test("shows usage move while it is looked at", async () => {
    await go("/tenants/story/summary");
    await page.getByText("live", { exact: true }).waitFor();
    const posted = await figure("Posted");
    assert.ok(posted > 9, `${posted}`);
    await server.send("POST", "/v1/chat/completions", {
      key,
      body: { model: "auto", messages: [{ role: "user", content: MARKER }], max_tokens: 20 },
    });
    await until("the change", async () => (await figure("Posted")) > posted);
  });

  test("hits the hard stop, and shows why", async () => {
    await go("/try/text");
    await field("Or a key that you have").fill(key);
    await button("Use it").click();
    await field("Text to judge").fill(RUDE);
    const refused = page.getByRole("alert").getByText("Quota exceeded");
    await until("the refusal", async () => {
      const ready = button("Judge it");
      if (await ready.isEnabled()) await ready.click();
      await sleep(200);
      return refused.isVisible();
    });
    await go("/tenants/story/refusals");
    await until("the count", async () => {
      if (await page.getByText("quota exceeded").first().isVisible()) return true;
      await button("Refresh").click();
      return false;
    });
    await assertAccessible(page, "refusals");
  });

  test("switches to the paid plan, after saying what that does", async () => {
    await button("Edit settings").click();
    await field("Plan").selectOption("paid");
    await field("Overage cap").fill("1000");
    await button("Review the change").click();
    await dialog()
      .getByText("Calls beyond 25 neurons a day are admitted up to 1,000 more")
      .waitFor();
    await assertAccessible(page, "a change under review");
    await button("Save").click();
    await page.getByText("story is changed. This applies from the next call on.").waitFor();
  });

  test("shows the overage", async () => {
    const body = { text: RUDE, user_id: "u_1" };
    for (let n = 0; n < 3; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { status } = await server.send("POST", "/v1/verdicts", { key, body });
      assert.equal(status, 200);
    }
    await go("/tenants/story/summary");
    await until("the overage", async () => (await figure("Overage")) > 5);
    await go("/tenants/story/usage");
    await page.locator(".figure").first().waitFor();
    assert.ok((await figure("Charge")) > 0);
    await assertAccessible(page, "usage");
  });

  test("shows the account's pool move, keeps a margin of it, and hears from the reports", async () => {
    await go("/");
    // Leased or spent: what a tenant has used is known when it renews its lease.
    await until("a lease", async () => (await figure("Free")) < 10_000);
    await button("Caps and margin").click();
    await field("Safety margin, neurons").fill("many");
    await button("Save").click();
    await dialog().locator(".field-error").waitFor();
    await assertAccessible(page, "the account's settings");
    await field("Safety margin, neurons").fill("1500");
    await button("Save").click();
    await page.getByText("1,500 N held back").waitFor();
    await page.getByText("Share of 1 tenant").click();
    await page
      .getByRole("table", { name: /^Shares of the pool/ })
      .getByText("story")
      .waitFor();
    const chart = page.getByRole("img", { name: "Neurons by hour and tenant" });
    await until("a report", async () => {
      if (await chart.isVisible()) return true;
      await page.reload();
      await sleep(500);
      return false;
    });
    await page.getByText("quota exceeded").waitFor();
    await assertAccessible(page, "the overview");
  });

  test("adds an endpoint and replays a delivery to it", async () => {
    await go("/tenants/story/webhooks");
    await button("Add an endpoint").click();
    await field("Address").fill(receiver.url);
    await button("Add").click();
    await button("I have it").click();
    await page.getByRole("link", { name: receiver.url }).click();
    await server.send("POST", "/v1/verdicts", { key, body: { text: RUDE } });
    await until("the delivery", () => receiver.accepted.length === 1);
    await until("its row", async () => {
      await button("Refresh").click();
      return page.getByText("delivered", { exact: true }).first().isVisible();
    });
    await page.getByRole("button", { name: /^Replay the delivery of/ }).click();
    await until("the replay", () => receiver.accepted.length === 2);
    const [first, second] = receiver.accepted;
    assert.equal(second?.id, first?.id);
    await assertAccessible(page, "deliveries");
  });

  test("grants neurons, and gives back a charge", async () => {
    await go("/tenants/story/grants");
    await button("Grant neurons").click();
    await field("Neurons").fill("12.5");
    await field("Reason").fill("the outage of Tuesday");
    await button("Grant").click();
    await page.getByRole("cell", { name: "the outage of Tuesday", exact: true }).waitFor();
    await assertAccessible(page, "grants");
    await go("/tenants/story/journal");
    await page.getByRole("row").nth(1).getByRole("button").click();
    await page.getByText("Give back what it charged").click();
    await field("Reason").fill("it was judged wrongly");
    await button("Give back").click();
    await page.getByText("neurons are given back.").waitFor();
    await page.getByText("adjustment", { exact: true }).waitFor();
  });

  test("exports a statement that adds up", async () => {
    await go("/tenants/story/statement");
    await page.getByText("adds up", { exact: true }).waitFor();
    await assertAccessible(page, "a statement");
    const posted = await figure("Neurons");
    const saved = async (/** @type {string} */ form) => {
      const [download] = await Promise.all([page.waitForEvent("download"), button(form).click()]);
      return [download.suggestedFilename(), await readFile(await download.path(), "utf8")];
    };
    const [name, lines] = await saved("NDJSON");
    assert.match(name, /^statement-story-\d{4}-\d\d\.ndjson$/);
    const rows = lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.ok(rows.length > 0);
    const { body } = await server.send("GET", `/v1/statements/${name.slice(16, 23)}`, { key });
    assert.ok(Math.abs(body.totals.micro_neurons / 1e6 - posted) < 0.001);
    assert.match((await saved("CSV"))[1], /^[\w,]+\r?\n/);
    assert.match((await saved("HTML"))[1], /^<!doctype html>/i);
  });

  test("is a key's own, as far as its role goes", async () => {
    const { body } = await server.admin("POST", "/admin/tenants/story/keys", { role: "call" });
    await button("Sign out").click();
    await signIn(body.key);
    const tabs = page.getByRole("navigation", { name: "Of story" });
    assert.deepEqual(await tabs.getByRole("link").allTextContents(), [
      "Summary",
      "Usage",
      "Documents",
      "Pipelines",
      "Refusals",
    ]);
    await go("/tenants");
    await page.getByText("There is no such page").waitFor();
    await server.admin("DELETE", `/admin/tenants/story/keys/${body.id}`);
    await go("/tenants/story/usage");
    await page.getByText("You were signed out").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });

  test("shows nothing to a key that only scores comments", async () => {
    const { body } = await server.admin("POST", "/admin/tenants/story/keys", { role: "score" });
    await signIn(body.key);
    await page.getByText("There is nothing here for you").waitFor();
    const tabs = page.getByRole("navigation", { name: "Of story" });
    assert.equal(await tabs.getByRole("link").count(), 0);
    await button("Sign out").click();
  });

  test("deletes a tenant whose id was typed", async () => {
    await signIn(server.adminToken);
    await go("/tenants/story");
    await button("Delete").click();
    assert.ok(await button("Delete for good").isDisabled());
    await field("Type story to confirm").fill("story");
    await button("Delete for good").click();
    await page.getByText("Tenant story is deleted.").waitFor();
    await page.getByText("No tenant yet").waitFor();
  });

  test("has broken no rule on the way", () => browser.assertQuiet(page));
});
