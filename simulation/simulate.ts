import { parseArgs } from "node:util";
import { CrashingDatabase } from "./crashing-database.ts";
import { Random } from "./random.ts";
import { prepareTenant, World } from "./world.ts";

// npm run simulate -- --seed 1 --histories 100000 [--steps 40] [--from 0]
//
// History n of a seed is the same on every machine: a failing run prints the one command that
// replays it alone, and a long run can be shared out over processes by where each begins.

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    histories: { type: "string", default: "10000" },
    steps: { type: "string", default: "40" },
    from: { type: "string", default: "0" },
    only: { type: "string" },
  },
});

const seed = Number(values.seed);
const histories = Number(values.histories);
const steps = Number(values.steps);

/** Far apart, so that histories of neighbouring seeds share nothing. */
const seedOf = (history: number): number => (seed * 0x9e3779b1 + history * 0x85ebca77) >>> 0;

const db = new CrashingDatabase();
prepareTenant(db);

const first = Number(values.only ?? values.from);
const last = values.only === undefined ? first + histories : first + 1;
for (let history = first; history < last; history += 1) {
  db.beginHistory();
  const world = new World(new Random(seedOf(history)), db);
  try {
    for (let step = 0; step < steps; step += 1) world.step();
    world.finish();
  } catch (error) {
    console.error(world.log.join("\n"));
    console.error(error);
    console.error(`replay: npm run simulate -- --seed ${seed} --steps ${steps} --only ${history}`);
    process.exit(1);
  }
  db.forgetHistory();
}
const which = first === 0 ? "" : `, from ${first} on`;
console.log(
  `${last - first} histories of ${steps} steps, seed ${seed}${which}: every invariant held.`,
);
