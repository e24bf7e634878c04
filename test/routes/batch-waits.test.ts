import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { runStep } from "../../src/batches/run-step.ts";
import { ask, makeTenant, type TestTenant, WITHOUT_RUNS, WORKERS_AI } from "../client.ts";
import { type Scripted, scripted, unique } from "./scripted.ts";

// Batches whose judge has no room: an item waits within its call, further items between the rounds.

const JUDGE = "@cf/meta/llama-3.1-8b-instruct-fp8";
const ENGINE = { ...env, ...WORKERS_AI } as unknown as Env;

/** A batch that nothing runs but the test, one item at a time. */
async function aBatch(items: readonly Scripted[]) {
  const name = `batch-waits-${unique()}`;
  const tenant = await makeTenant(name, { max_in_flight: 2 });
  const { status, body } = await ask("POST", "/v1/verdicts/batches", {
    key: tenant.key,
    body: { items: items.map(({ text }) => ({ text })) },
    env: WITHOUT_RUNS,
  });
  expect(status).toBe(202);
  const params = { tenant: name, life: 1, batch: body.id as string };
  return { tenant, params, run: (step = 0) => runStep(ENGINE, params, step) };
}

const countsOf = async (tenant: TestTenant, id: string) =>
  (await tenant.call("GET", `/v1/verdicts/batches/${id}`)).body.counts;

const judgeCalls = async (item: Scripted): Promise<number> =>
  (await item.asked()).filter((model) => model === JUDGE).length;

const several = (behaviour: string, count: number): Scripted[] =>
  Array.from({ length: count }, () => scripted(behaviour));

describe("an item of a batch whose judge asks for a wait", () => {
  it("is judged after it, in the same call", async () => {
    const item = scripted("judge=3040@ms1200,ok");
    const { tenant, params, run } = await aBatch([item]);
    expect(await run()).toEqual({ kind: "next" });
    expect(await countsOf(tenant, params.batch)).toMatchObject({ allow: 1, flag: 0 });
    expect(await judgeCalls(item)).toBe(2);
    const [line, ...more] = (await tenant.call("GET", "/v1/ledger")).body.data;
    expect([line.outcome, more]).toEqual(["posted", []]);
  });

  it("is not waited for in a call that somebody waits for", async () => {
    const tenant = await makeTenant(`batch-waits-${unique()}`);
    const item = scripted("judge=3040@ms1200,ok");
    const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: item.text });
    expect([body.decision, await judgeCalls(item)]).toEqual(["flag", 1]);
  });

  it("says so where that is longer than its call, and the next items wait", async () => {
    const [first, ...others] = [scripted("judge=3040@40"), ...several("ok", 3)];
    const { tenant, params, run } = await aBatch([first, ...others] as Scripted[]);
    expect(await run()).toEqual({ kind: "wait", ms: 40_000 });
    expect(await countsOf(tenant, params.batch)).toMatchObject({ flag: 1, pending: 3 });
    expect(await Promise.all(others.map(judgeCalls))).toEqual([0, 0, 0]);
    expect(await run()).toEqual({ kind: "next" });
    expect(await countsOf(tenant, params.batch)).toMatchObject({ flag: 1, allow: 3, pending: 0 });
  });

  it("is waited after for a minute at most, also before the next step", async () => {
    const items = [...several("ok", 9), scripted("judge=3040@600"), scripted("judge=3040@600")];
    const { run } = await aBatch(items);
    expect(await run()).toEqual({ kind: "wait", ms: 60_000 });
    expect(await run()).toEqual({ kind: "next" });
    // After the last item there is nothing to wait for.
    expect(await run(1)).toEqual({ kind: "next" });
  });
});
