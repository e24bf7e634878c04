import type { WorkflowStep } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { inRounds } from "../../src/io/workflow-rounds.ts";

const STEP = { timeout: "2 minutes" } as const;

type Next = Awaited<ReturnType<Parameters<typeof inRounds>[2]>>;

/** Runs rounds that come to this, one after the other, and gives the steps and sleeps of their Workflow. */
async function run(outcomes: readonly Next[], doublings = 0) {
  const left = [...outcomes];
  const steps: (string | readonly [string, number])[] = [];
  const workflow = {
    do: (name: string, _config: unknown, round: () => Promise<unknown>) => {
      steps.push(name);
      return round();
    },
    sleep: async (name: string, ms: number) => {
      steps.push([name, ms]);
    },
  } as unknown as WorkflowStep;
  const goesOn = await inRounds(workflow, { name: "step 4", step: STEP, doublings }, async () => {
    const next = left.shift();
    if (next === undefined) throw new Error("a round too many");
    return next;
  });
  return { goesOn, steps };
}

const wait = (ms: number): Next => ({ kind: "wait", ms });
const NEXT: Next = { kind: "next" };

const waits = async (outcomes: readonly Next[], doublings: number) =>
  (await run([...outcomes, NEXT], doublings)).steps.flatMap((step) =>
    typeof step === "string" ? [] : [step[1]],
  );

describe("a piece of work", () => {
  // A running Workflow finds what is done by these names: another deployment must not change them.
  it("is a step for each round, with a sleep after each that waits", async () => {
    expect(await run([wait(1000), wait(2000), NEXT])).toEqual({
      goesOn: true,
      steps: [
        "step 4, round 0",
        ["step 4, wait 0", 1000],
        "step 4, round 1",
        ["step 4, wait 1", 2000],
        "step 4, round 2",
      ],
    });
  });

  it.each(["over", "ended"] as const)("is the last one when its round says %s", async (kind) => {
    expect(await run([{ kind }])).toEqual({ goesOn: false, steps: ["step 4, round 0"] });
  });

  it("waits for a quarter of a second at least, and for a day at most", async () => {
    expect(await waits([wait(0), wait(0), wait(9e9)], 0)).toEqual([250, 250, 86_400_000]);
  });

  it("waits longer after each round, as often as it may", async () => {
    expect(await waits([wait(0), wait(0), wait(0), wait(0), wait(900)], 2)).toEqual([
      250, 500, 1000, 1000, 1000,
    ]);
  });
});
