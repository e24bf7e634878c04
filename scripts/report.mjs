// Writes a report of a period as Markdown: `npm run report -- --from DAY --to DAY`. docs/costs.md
// describes its tables.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { readPriceBook } from "../src/domain/catalogue/other-price-book.ts";
import {
  atOtherPrices,
  comparedModels,
  comparedPeriods,
  reportTables,
  toMarkdown,
} from "../src/domain/usage/cost-report.ts";
import { readPeriod } from "./report/read-period.mjs";
import { ReportFailure } from "./report/report-failure.mjs";

const USAGE = `npm run report -- --from DAY --to DAY [--tenant ID] [--compare DAY..DAY] [--models A,B] [--prices FILE]

--from, --to  the first and the last day, UTC; at most 92 days
--tenant      one tenant; else all tenants, from the reports
--compare     another period, side by side
--models      two models of the period, side by side
--prices      the same use at the prices of this file (docs/costs.md)
--url         of the server; else NEUROGATE_URL, else http://127.0.0.1:8787
--token       the admin token; else NEUROGATE_TOKEN, which no list of processes shows`;

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const PERIOD = /^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$/;

function readOptions() {
  try {
    return parseArgs({
      options: {
        url: { type: "string", default: process.env.NEUROGATE_URL || "http://127.0.0.1:8787" },
        token: { type: "string", default: process.env.NEUROGATE_TOKEN },
        from: { type: "string" },
        to: { type: "string" },
        tenant: { type: "string" },
        compare: { type: "string" },
        models: { type: "string" },
        prices: { type: "string" },
      },
    }).values;
  } catch (error) {
    throw new ReportFailure(`${error.message}\n\n${USAGE}`);
  }
}

function readBook(/** @type {string} */ file) {
  try {
    return readPriceBook(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new ReportFailure(`${file}: ${error.message}`);
  }
}

async function report() {
  const { url, token, from, to, tenant = null, compare, models, prices } = readOptions();
  if (from === undefined || to === undefined || !DAY.test(from) || !DAY.test(to)) {
    throw new ReportFailure(`--from and --to must be days such as 2026-11-20.\n\n${USAGE}`);
  }
  if (!token) throw new ReportFailure("The admin token is missing: --token or NEUROGATE_TOKEN.");
  const other = compare === undefined ? null : PERIOD.exec(compare);
  if (compare !== undefined && other === null) {
    throw new ReportFailure("--compare must be two days such as 2026-10-01..2026-10-31.");
  }
  const pair = models?.split(",") ?? [];
  if (models !== undefined && pair.length !== 2) {
    throw new ReportFailure("--models must be two ids of models with a comma between.");
  }
  const book = prices === undefined ? null : readBook(prices);
  const server = { url: url.replace(/\/+$/, ""), token };
  const period = await readPeriod(server, { from, to, tenant });
  const tables = [...reportTables(period)];
  if (other !== null) {
    const beside = await readPeriod(server, { from: other[1], to: other[2], tenant });
    tables.push(comparedPeriods(period, beside));
  }
  if (models !== undefined) tables.push(comparedModels(period, pair[0].trim(), pair[1].trim()));
  if (book !== null) tables.push(atOtherPrices(period, book));
  const title = `# Report of ${tenant ?? "all tenants"}, ${from} to ${to}\n\n`;
  process.stdout.write(title + tables.map(toMarkdown).join(""));
}

try {
  await report();
} catch (error) {
  if (!(error instanceof ReportFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
