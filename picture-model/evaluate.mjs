// Sends harmless pictures through the default policy of a local server, as a caller would, and counts how
// many are flagged and blocked. It does not measure whether harmful pictures are found, since there are
// none here.
//
//   npm run picture-model:evaluate                 the pictures of the packages in evaluation.json
//   npm run picture-model:evaluate -- <folder> …   pictures of your own
//
// Ends with an error if a share is above its bound.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Server } from "../test/e2e/server.mjs";

const BOUNDS = { flagged: 0.04, blocked: 0.01 };

/** Pictures in progress at once. The server judges them one after the other anyway. */
const AT_ONCE = 2;

/** Smaller ones are icons. */
const LEAST_SIDE = 64;

const DOWNLOADS = fileURLToPath(new URL(".pictures/", import.meta.url));

/** The name of a package or a folder, and the place of its pictures. */
function sources() {
  const { positionals } = parseArgs({ allowPositionals: true });
  if (positionals.length > 0) return positionals.map((folder) => ({ name: folder, folder }));
  const { packages } = JSON.parse(
    readFileSync(new URL("evaluation.json", import.meta.url), "utf8"),
  );
  return packages.map((one) => ({ name: one.package, folder: unpacked(one) }));
}

/** Downloads only the archive of a package: it is not installed, and none of its code runs. */
function unpacked({ package: name, integrity }) {
  const folder = join(DOWNLOADS, name.replaceAll(/[@/]/g, "_"));
  if (existsSync(join(folder, "whole"))) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  console.log(`Downloading ${name} …`);
  execFileSync("npm", ["pack", name, "--silent", "--pack-destination", folder]);
  const [archive = ""] = readdirSync(folder);
  const digest = createHash("sha512")
    .update(readFileSync(join(folder, archive)))
    .digest("base64");
  if (`sha512-${digest}` !== integrity)
    throw new Error(`${name} is not what evaluation.json names`);
  execFileSync("tar", ["-xzf", archive], { cwd: folder });
  rmSync(join(folder, archive));
  mkdirSync(join(folder, "whole"));
  return folder;
}

/** Each picture once, even if there are copies of it. */
function picturesOf(/** @type {{ name: string, folder: string }[]} */ all) {
  const seen = new Set();
  return all.flatMap(({ name, folder }) =>
    readdirSync(folder, { recursive: true })
      .map((path) => join(folder, String(path)))
      .filter((path) => /\.(?:jpe?g|png|webp)$/i.test(path) && statSync(path).isFile())
      .toSorted()
      .flatMap((path) => {
        const bytes = readFileSync(path);
        const hash = createHash("sha256").update(bytes).digest("hex");
        if (seen.has(hash)) return [];
        seen.add(hash);
        return [{ source: name, path: relative(folder, path), bytes }];
      }),
  );
}

async function judgeAll(/** @type {ReturnType<typeof picturesOf>} */ pictures) {
  const server = new Server({ CLOUDFLARE_PLAN: "paid", LOG_LEVEL: "error" });
  await server.start();
  try {
    await server.unboundRates();
    const key = await server.makeTenant("pictures", {
      plan: "paid",
      daily_neurons: 1_000_000,
      overage_cap_neurons: 0,
      rpm: { requests: 100_000, text_generation: 100_000, image_classification: 100_000 },
    });
    const queue = [...pictures];
    const judged = [];
    const worker = async () => {
      for (let picture = queue.shift(); picture !== undefined; picture = queue.shift()) {
        const body = { images: [{ base64: picture.bytes.toString("base64") }] };
        // oxlint-disable-next-line no-await-in-loop -- a limited number at once
        judged.push({
          ...picture,
          reply: await server.send("POST", "/v1/verdicts", { key, body }),
        });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    return judged;
  } finally {
    await server.stop();
  }
}

/** The verdict on a picture; null: it is an icon, which is not counted. */
function outcomeOf({ reply: { status, body } }) {
  if (status === 400) return "refused";
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
  const { measurements } = body.stages.find(({ name }) => name === "labels");
  if (measurements !== null && Math.min(measurements.width, measurements.height) < LEAST_SIDE) {
    return null;
  }
  return body.coverage.nsfw === "evaluated" ? body.decision : "not evaluated";
}

const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;

function table(/** @type {{ group: string, outcome: string }[]} */ results) {
  const groups = Map.groupBy(results, ({ group }) => group);
  return Object.fromEntries(
    [...groups, ["all", results]].map(([group, of]) => {
      const count = (/** @type {string} */ wanted) =>
        of.filter(({ outcome }) => outcome === wanted).length;
      const judged = count("allow") + count("flag") + count("block");
      const share = (/** @type {string} */ wanted) =>
        judged === 0 ? "" : `${count(wanted)} (${percent(count(wanted) / judged)})`;
      const row = { judged, flagged: share("flag"), blocked: share("block") };
      return [
        group,
        { ...row, "not evaluated": count("not evaluated"), refused: count("refused") },
      ];
    }),
  );
}

const judged = (await judgeAll(picturesOf(sources()))).flatMap((one) => {
  const outcome = outcomeOf(one);
  return outcome === null ? [] : [{ ...one, outcome }];
});
console.log("\nBy source:");
console.table(table(judged.map(({ source, outcome }) => ({ group: source, outcome }))));
console.log("\nBy format:");
console.table(
  table(
    judged.map(({ path, outcome }) => ({
      group: /\.png$/i.test(path) ? "PNG" : "JPEG, WebP",
      outcome,
    })),
  ),
);
const alarms = judged
  .filter(({ outcome }) => outcome === "flag" || outcome === "block")
  .toSorted((a, b) => b.reply.body.scores.nsfw - a.reply.body.scores.nsfw);
console.log("\nFalse alarms (the score on the scale of policies: flag from 0.5, block from 0.7):");
for (const { source, path, outcome, reply } of alarms) {
  console.log(`  ${reply.body.scores.nsfw.toFixed(3)} ${outcome} ${source} ${path}`);
}
const all = judged.filter(({ outcome }) => ["allow", "flag", "block"].includes(outcome));
const shareOf = (/** @type {string[]} */ ...outcomes) =>
  all.filter(({ outcome }) => outcomes.includes(outcome)).length / Math.max(1, all.length);
const shares = { flagged: shareOf("flag", "block"), blocked: shareOf("block") };
console.log(`\n${all.length} pictures judged.`);
for (const [what, bound] of Object.entries(BOUNDS)) {
  const isMet = shares[what] <= bound;
  console.log(
    `${what}: ${percent(shares[what])}, at most ${percent(bound)}: ${isMet ? "met" : "MISSED"}`,
  );
  if (!isMet) process.exitCode = 1;
}
