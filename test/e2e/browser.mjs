// A browser as a person has it, which notes whatever a page should never do: run what somebody wrote,
// break its own policy, or fail in silence.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const PATH = process.env.CHROMIUM || "/usr/bin/chromium";

/** Why there is nothing to drive; false: there is. On CI its absence is a failure, not a skip. */
export const NO_BROWSER =
  existsSync(PATH) || process.env.CI
    ? false
    : `there is no ${PATH}: apt-get install chromium, or set CHROMIUM`;

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What was written where script might run sets this on the page. */
export const HIT = "ranWhatWasWritten";

export class Browser {
  #browser;
  /** What pages did that they must not, in words. @type {string[]} */
  complaints = [];

  async start() {
    assert.ok(existsSync(PATH), `There is no ${PATH}: run apt-get install chromium.`);
    this.#browser = await chromium.launch({ executablePath: PATH, args: ["--no-sandbox"] });
  }

  async stop() {
    await this.#browser?.close();
  }

  /** A page of a person of its own. @param {import("playwright-core").BrowserContextOptions} options */
  async open(options = {}) {
    const context = await this.#browser.newContext({
      viewport: { width: 1280, height: 900 },
      ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const complain = (/** @type {string} */ what) => this.complaints.push(what);
    await context.exposeFunction("onPolicyViolation", (what) => complain(`policy: ${what}`));
    await context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) =>
        globalThis.onPolicyViolation(
          `${event.violatedDirective} ${event.blockedURI} ${event.sample}`,
        ),
      );
    });
    page.on("pageerror", (error) => complain(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
      complain(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      // What the server refuses, a browser logs by itself; a person sees it on the page.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
        complain(`console: ${message.text()}`);
      }
    });
    return page;
  }

  /** Nothing of what was written as text has run, anywhere, so far. */
  async assertQuiet(/** @type {import("playwright-core").Page} */ page) {
    assert.equal(await page.evaluate((hit) => globalThis[hit], HIT), undefined);
    assert.deepEqual(this.complaints, []);
  }
}

/**
 * What axe finds of a page that keeps somebody out.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} what
 * @param {string[] | null} rules these alone
 */
export async function assertAccessible(page, what, rules = null) {
  // Through the debugger: the page's own policy would not let it in.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(
    (only) => globalThis.axe.run(document, only === null ? {} : { runOnly: only }),
    rules,
  );
  const found = violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
  assert.deepEqual(found, [], `${what} keeps somebody out`);
}

/**
 * At this width nothing is beyond the edge, no text is smaller than 13 pixels, and where a row of a table is
 * a card, everything in a cell is beside the cell's label.
 */
export async function assertFits(/** @type {import("playwright-core").Page} */ page, what) {
  const { over, small, beneath } = await page.evaluate(() => {
    const tiny = [...document.querySelectorAll("body *")].filter(
      (element) =>
        [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "") &&
        Number.parseFloat(getComputedStyle(element).fontSize) < 13,
    );
    const cells = [...document.querySelectorAll(".table td")].filter(
      (cell) => getComputedStyle(cell).display === "grid",
    );
    const below = cells.filter((cell) => {
      const [label] = getComputedStyle(cell).gridTemplateColumns.split(" ");
      const edge = cell.getBoundingClientRect().left + Number.parseFloat(label);
      const range = document.createRange();
      range.selectNodeContents(cell);
      return [...range.getClientRects()].some(({ left, width }) => width > 0 && left < edge);
    });
    return {
      beneath: below.map(({ textContent }) => textContent),
      over: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      small: tiny.map((element) => `${element.tagName} ${element.textContent}`),
    };
  });
  assert.ok(over <= 0, `${what} is ${over} pixels too wide`);
  assert.deepEqual(small, [], `${what} has text that is too small`);
  assert.deepEqual(beneath, [], `${what} has cells that are partly below their labels`);
}
