import { beforeAll, describe, expect, it } from "vitest";
import { ask, makeKey, makeTenant, type TestTenant } from "../client.ts";
import { scripted } from "./scripted.ts";

// Which words of a text made a verdict: told to who reviews it, and to nobody who could write round it.

const TEXT = "🙂 Well hello. You are a stupid idiot. Bye now.";

let tenant: TestTenant;
let keys: Record<"call" | "review", string>;
let id: string;

beforeAll(async () => {
  tenant = await makeTenant("spans");
  keys = { call: await makeKey("spans", "call"), review: await makeKey("spans", "review") };
  const made = await ask("POST", "/v1/verdicts", { key: keys.call, body: { text: TEXT } });
  expect(made.body.decision).not.toBe("allow");
  expect(JSON.stringify(made.body)).not.toContain("spans");
  id = made.body.id;
});

interface Explained {
  readonly category: string;
  readonly spans?: readonly { start: number; end: number }[];
}

const wordsIn = (text: string, reasons: readonly Explained[], category: string) =>
  reasons
    .find((reason) => reason.category === category)
    ?.spans?.map(({ start, end }) => text.slice(start, end));

describe("the words that made a verdict", () => {
  it("are read by a reviewer and a manager, in UTF-16 units", async () => {
    for (const key of [keys.review, tenant.key]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { body } = await ask("GET", `/v1/verdicts/${id}`, { key });
      expect(wordsIn(TEXT, body.reasons, "harassment")?.join(" ")).toContain("idiot");
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const listed = await ask("GET", "/v1/verdicts", { key });
      const same = listed.body.data.find((one: { id: string }) => one.id === id);
      expect(same.reasons).toEqual(body.reasons);
    }
  });

  it("are not told to a key that only calls, nor in a drop-in", async () => {
    const read = await ask("GET", `/v1/verdicts/${id}`, { key: keys.call });
    expect(read.body.reasons.length).toBeGreaterThan(0);
    expect(JSON.stringify(read.body)).not.toContain("spans");
    const dropIn = await tenant.call("POST", "/v1/moderations", { input: TEXT });
    expect(dropIn.body.results[0].flagged).toBe(true);
    expect(JSON.stringify(dropIn.body)).not.toContain("spans");
  });

  it("are not delivered, fed or exported", async () => {
    const events = await tenant.call("GET", "/v1/events");
    const exported = await tenant.call("GET", "/v1/export?user_id=ann");
    expect(JSON.stringify([events.body, exported.body])).not.toContain("spans");
  });

  it("are read where a verdict is claimed and decided", async () => {
    const claimed = await ask("POST", "/v1/verdicts/claim", { key: keys.review, body: {} });
    const mine = claimed.body.data.find((one: { id: string }) => one.id === id);
    expect(wordsIn(TEXT, mine.reasons, "harassment")?.join(" ")).toContain("idiot");
  });

  it("are those of the second opinion where the judge is a language model", async () => {
    const { text } = scripted("judge=score:toxicity=1", TEXT);
    const made = await tenant.onWorkersAi("POST", "/v1/verdicts", { text });
    expect(made.body.decision).toBe("flag");
    const { body } = await tenant.call("GET", `/v1/verdicts/${made.body.id}`);
    const marked = body.reasons.flatMap((reason: Explained) =>
      (reason.spans ?? []).map(({ start, end }) => text.slice(start, end)),
    );
    expect(marked.join(" ")).toContain("idiot");
  });

  it("stay where they are beside an allowed part, which is blank to the model", async () => {
    await tenant.call("PUT", "/v1/policies/allows", { terms: { allow: ["hello"] } });
    const body = { text: TEXT, policy: "allows" };
    const made = await tenant.call("POST", "/v1/verdicts", body);
    const read = await tenant.call("GET", `/v1/verdicts/${made.body.id}`);
    expect(wordsIn(TEXT, read.body.reasons, "harassment")?.join(" ")).toContain("idiot");
  });
});
