// Takes pictures of every page of the console, in light, in dark and on a narrow screen, from a server
// with some days of calls. `npm run screenshots` writes docs/screenshots/. Needs /usr/bin/chromium.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { Receiver } from "../test/e2e/receiver.mjs";
import { Server } from "../test/e2e/server.mjs";
import { seedCalls, seedNow, seedTenants } from "./demo-days.mjs";

const OUT = fileURLToPath(new URL("../docs/screenshots", import.meta.url));

const HOUR_MS = 3_600_000;

/** The hours ago and the share of a day's calls that are made then: some days, then the last one. */
const MOMENTS = [
  [120, 1],
  [96, 0.8],
  [72, 1.1],
  [48, 0.7],
  ...[22, 20, 18, 15, 13, 11, 9, 7, 5, 4, 2, 1].map((ago, n) => [ago, 0.1 + (n % 4) * 0.05]),
];

const FORMS = [
  { name: "light", width: 1280, height: 800, colorScheme: /** @type {const} */ ("light") },
  { name: "dark", width: 1280, height: 800, colorScheme: /** @type {const} */ ("dark") },
  { name: "390", width: 390, height: 1400, colorScheme: /** @type {const} */ ("light") },
];

/** The WebP quality: text stays sharp, and all pictures together are a few megabytes. */
const QUALITY = 88;

/** The longest time until the reports have all calls. */
const REPORTS_MS = 45_000;

const server = new Server({ WEBHOOK_TARGETS: "any" });
const receiver = await new Receiver().start();
// Every fourth delivery fails, so that the pictures show failed deliveries too.
let requests = 0;
receiver.answer = (response) => {
  requests += 1;
  response.writeHead(requests % 4 === 0 ? 503 : 204).end();
  return requests % 4 !== 0;
};

const tenants = await fill();
const verdict = await latestVerdict();
const pages = {
  "sign-in": null,
  overview: "/",
  tenants: "/tenants",
  "tenant-summary": "/tenants/acme/summary",
  "tenant-usage": "/tenants/acme/usage",
  "tenant-statement": "/tenants/acme/statement",
  "tenant-journal": "/tenants/acme/journal",
  "tenant-grants": "/tenants/acme/grants",
  "tenant-verdicts": "/tenants/acme/verdicts",
  "tenant-verdict": `/tenants/acme/verdicts/${verdict}`,
  "tenant-review": "/tenants/acme/review",
  "tenant-policies": "/tenants/acme/policies",
  "tenant-keys": "/tenants/acme/keys",
  "tenant-webhooks": `/tenants/acme/webhooks/${tenants.webhook}`,
  "tenant-refusals": "/tenants/initech/refusals",
  money: "/money",
  moderation: "/log",
  "try-text": "/try/text",
  "try-chat": "/try/chat",
  alerts: "/events",
  audit: "/audit",
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
for (const form of FORMS) await takeAll(form);
await browser.close();
receiver.stop();
await server.stop();

/** Makes the past calls: the server's clock begins in the past and moves to the present. */
async function fill() {
  // The first start builds the server; nothing has read the clock yet.
  await server.start();
  await server.kill();
  server.setClockAhead(-MOMENTS[0][0] * HOUR_MS);
  await server.start();
  const made = await seedTenants(server, receiver.url);
  for (const [n, [, share]] of MOMENTS.entries()) {
    await seedCalls(server, made.keys, { seed: n, share });
    await server.kill();
    server.setClockAhead(-(MOMENTS[n + 1]?.[0] ?? 0) * HOUR_MS);
    await server.start();
  }
  await seedNow(server, made.keys);
  const endMs = Date.now() + REPORTS_MS;
  while (Date.now() < endMs && !(await isReported())) await sleep(500);
  return made;
}

async function callsIn(path) {
  return (await server.admin("GET", path)).body.totals.calls;
}

/** Whether the reports have as many calls as the tenant's own books. */
async function isReported() {
  const day = new Date().toISOString().slice(0, 10);
  const query = `from=${day}&to=${day}`;
  const own = await callsIn(`/admin/tenants/acme/usage?${query}`);
  return (await callsIn(`/admin/usage?${query}&tenant=acme`)) >= own;
}

async function latestVerdict() {
  const { body } = await server.admin("GET", "/admin/tenants/acme/verdicts?decision=block&limit=1");
  return body.data[0].id;
}

async function takeAll({ name, width, height, colorScheme }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  const take = await camera(page, { x: 0, y: 0, width, height, scale: 1 });
  for (const [file, path] of Object.entries(pages)) {
    await page.goto(path === null ? server.url : `${server.url}/#${path}`);
    if (path === "/") await signIn(page);
    await page.waitForFunction(() => document.querySelector(".skeleton") === null);
    if (file === "tenant-review" && name === "light") await page.keyboard.press("n");
    if (file.startsWith("try-")) await tryIt(page, file);
    // By then animations have ended and live data has arrived.
    await sleep(700);
    await take(join(OUT, `${file}-${name}.webp`));
  }
  await context.close();
}

/** Takes WebP pictures, a third of the size of PNG. Playwright cannot write WebP. */
async function camera(page, clip) {
  const session = await page.context().newCDPSession(page);
  return async (path) => {
    const { data } = await session.send("Page.captureScreenshot", {
      format: "webp",
      quality: QUALITY,
      clip,
    });
    writeFileSync(path, Buffer.from(data, "base64"));
  };
}

async function signIn(page) {
  await page.getByLabel("Admin token or tenant key").fill(server.adminToken);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("navigation", { name: "Main" }).waitFor();
}

async function tryIt(page, file) {
  await page.getByLabel("Or a key that you have").fill(tenants.keys.acme);
  await page.getByRole("button", { name: "Use it" }).click();
  const act = file === "try-chat" ? "Send" : "Judge it";
  await page.getByRole("button", { name: act, exact: true }).click();
  await page.locator(".figure").first().waitFor();
}
