import { beforeAll, describe, expect, it } from "vitest";
import { makeTenant, type TestTenant } from "../client.ts";
import { DEMANDS, HARMLESS } from "../tier0/about-children.ts";

// Where no language model judges: a demand for sexual content with a child is never approved.

interface Result {
  readonly flagged: boolean;
  readonly categories: Record<string, boolean>;
  readonly neurogate: { verdict_id: string; decision: string; approved: boolean };
}

async function judged(
  tenant: TestTenant,
  input: readonly string[],
  policy: string,
): Promise<Result[]> {
  const { status, body } = await tenant.call("POST", "/v1/moderations", {
    input,
    neurogate: { policy },
  });
  expect(status).toBe(200);
  return body.results;
}

describe.each(["default", "strict", "free"])("under the preset %s", (preset) => {
  let tenant: TestTenant;
  beforeAll(async () => {
    tenant = await makeTenant(`minors-${preset}`, { rpm: { requests: 600 } });
    await tenant.call("PUT", `/v1/policies/${preset}`, { preset });
  });

  it("a demand is never approved, and a person sees it first", async () => {
    const results = await judged(tenant, DEMANDS, preset);
    expect(results.filter(({ neurogate }) => neurogate.approved)).toEqual([]);
    expect(results.every(({ flagged }) => flagged)).toBe(true);
    expect(results.every(({ categories }) => categories["sexual/minors"])).toBe(true);
    const { body } = await tenant.call("GET", `/v1/verdicts/${results[0]?.neurogate.verdict_id}`);
    expect(body.review).toMatchObject({ state: "open", priority: "urgent" });
    expect(body.actions).not.toContain("ban_user");
  });

  it("who speaks of children is not accused of it", async () => {
    const results = await judged(tenant, HARMLESS, preset);
    expect(results.some(({ categories }) => categories["sexual/minors"])).toBe(false);
    expect(results.some(({ neurogate }) => neurogate.decision === "block")).toBe(false);
  });
});

it("what the model does not see of it stays not evaluated", async () => {
  const tenant = await makeTenant("minors-unseen");
  const text = "Thanks for the lovely dinner, see you on Sunday.";
  const calm = await tenant.call("POST", "/v1/verdicts", { text });
  expect(calm.body).toMatchObject({ decision: "allow", approved: true, partial: true });
  expect(calm.body.coverage["sexual/minors"]).toBe("not_evaluated");
  const demand = await tenant.call("POST", "/v1/verdicts", { text: DEMANDS[0] });
  expect(demand.body.coverage["sexual/minors"]).toBe("evaluated");
  expect(demand.body.scores["sexual/minors"]).toBe(0.69);
});

it("is a second opinion on a judge that sees nothing", async () => {
  const tenant = await makeTenant("minors-unmoved");
  const { body } = await tenant.onWorkersAi("POST", "/v1/verdicts", { text: `${DEMANDS[0]}` });
  expect(body).toMatchObject({ decision: "flag", approved: false });
  expect(body.scores["sexual/minors"]).toBe(0);
  const dissent = { category: "sexual/minors", score: 0.69, threshold: 0.3 };
  expect(body.reasons).toContainEqual(expect.objectContaining(dissent));
});
