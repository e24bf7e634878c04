import { parseArgs } from "node:util";
import { TENANT_SCHEMA } from "../durable-objects/tenant/features.ts";
import { CrashingDatabase } from "./crashing-database.ts";
import { PoolStage } from "./pool-stage.ts";
import { PoolWorld } from "./pool-world.ts";
import { Random } from "./random.ts";
import { prepareTenant } from "./tenant-process.ts";
import { World } from "./world.ts";

// npm run simulate -- --seed 1 --histories 100000 [--steps 40] [--from 0] [--of tenant]
//
// Runs histories of one tenant, and with every fortieth one history of an account and its tenants.
// History n of a seed is the same on every machine. A failing run prints the command that replays only
// that history. A long run can be split over processes with `--from`.

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    histories: { type: "string", default: "10000" },
    steps: { type: "string", default: "40" },
    from: { type: "string", default: "0" },
    only: { type: "string" },
    of: { type: "string" },
  },
});

const seed = Number(values.seed);
const histories = Number(values.histories);
const steps = Number(values.steps);

/** Histories of one tenant for each history of an account, which costs more. */
const TENANTS_PER_ACCOUNT = 40;

/**
 * In one of so many histories each feature makes its tables with its first row, as in a new object. The
 * others begin with the tables that most histories need: to make them would take a third of their time.
 */
const NEW_EVERY = 5;

const MADE_AHEAD = TENANT_SCHEMA.features.filter(({ name }) =>
  [
    "adjustments",
    "feed",
    "grants",
    "idempotency",
    "leases",
    "ledger",
    "notices",
    "refusals",
    "reuse",
    "usage_splits",
    "verdicts",
  ].includes(name),
);

/** Steps of an account's history for each step of a tenant's, since more happens in it. */
const ACCOUNT_STEPS = 3;

/** Fewer histories may have no admitted call by chance. */
const FEW = 20;

/** Far apart, so that histories of neighbouring seeds share nothing. */
const seedOf = (history: number): number => (seed * 0x9e3779b1 + history * 0x85ebca77) >>> 0;

interface Histories {
  readonly of: "tenant" | "account";
  /** @returns how many calls were admitted */
  readonly play: (history: number) => Promise<number>;
}

const isOfNewObject = (history: number): boolean => history % NEW_EVERY === 0;

async function ofTenant(): Promise<Histories> {
  const [ofNew, ofOld] = [new CrashingDatabase(), new CrashingDatabase()];
  await prepareTenant(ofNew, {});
  await prepareTenant(ofOld, { tables: MADE_AHEAD });
  const play = async (history: number): Promise<number> => {
    const db = isOfNewObject(history) ? ofNew : ofOld;
    db.beginHistory();
    const world = new World(new Random(seedOf(history)), db);
    await withLog(world.log, async () => {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (let step = 0; step < steps; step += 1) await world.step();
      await world.finish();
    });
    db.forgetHistory();
    return world.admitted;
  };
  return { of: "tenant", play };
}

async function ofAccount(): Promise<Histories> {
  const [ofNew, ofOld] = [new PoolStage([]), new PoolStage(MADE_AHEAD)];
  await ofNew.prepare();
  await ofOld.prepare();
  const play = async (history: number): Promise<number> => {
    const stage = isOfNewObject(history) ? ofNew : ofOld;
    stage.begin();
    const world = new PoolWorld(new Random(seedOf(history)), stage);
    await withLog(world.log, async () => {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      for (let step = 0; step < ACCOUNT_STEPS * steps; step += 1) await world.step();
      await world.rest();
    });
    stage.forget();
    return world.admitted;
  };
  return { of: "account", play };
}

/** Prints the log of a history that fails. */
async function withLog(log: readonly string[], play: () => Promise<void>): Promise<void> {
  try {
    await play();
  } catch (error) {
    console.error(log.join("\n"));
    throw error;
  }
}

async function run({ of, play }: Histories, first: number, count: number): Promise<void> {
  let admitted = 0;
  for (let history = first; history < first + count; history += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      admitted += await play(history);
    } catch (error) {
      console.error(error);
      const again = `--seed ${seed} --steps ${steps} --of ${of} --only ${history}`;
      console.error(`replay: npm run simulate -- ${again}`);
      process.exit(1);
    }
  }
  // An object that refuses everything breaks no other invariant.
  if (count >= FEW && admitted < count) {
    console.error(
      `${admitted} calls were admitted in ${count} histories of ${of === "tenant" ? "a tenant" : "an account"}`,
    );
    process.exit(1);
  }
  const which = first === 0 ? "" : `, from ${first} on`;
  console.log(
    `${count} histories of ${of === "tenant" ? "one tenant" : "an account and its tenants"}, seed ${seed}${which}: every invariant held.`,
  );
}

const first = Number(values.only ?? values.from);
const count = values.only === undefined ? histories : 1;
if (values.of !== "account") await run(await ofTenant(), first, count);
if (values.of === "account") await run(await ofAccount(), first, count);
if (values.of === undefined) {
  const part = (number: number): number => Math.ceil(number / TENANTS_PER_ACCOUNT);
  await run(await ofAccount(), part(first), part(count));
}
