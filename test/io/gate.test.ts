import { describe, expect, it } from "vitest";
import { createGate } from "../../src/io/gate.ts";

interface Job {
  readonly name: string;
  readonly weight?: number;
  readonly order?: number;
}

/** Runs jobs that end when told; tells which have started. */
function run(capacity: number, jobs: readonly Job[]) {
  const gate = createGate(capacity);
  const started: string[] = [];
  const ends = new Map<string, (failure?: Error) => void>();
  const done = jobs.map(({ name, ...turn }) =>
    gate.run(turn, () => {
      started.push(name);
      return new Promise<string>((resolve, reject) =>
        ends.set(name, (failure) => (failure === undefined ? resolve(name) : reject(failure))),
      );
    }),
  );
  const end = async (name: string, failure?: Error): Promise<void> => {
    ends.get(name)?.(failure);
    await Promise.resolve().then(() => scheduler.wait(0));
  };
  return { started, end, done, settle: () => scheduler.wait(0) };
}

describe("createGate", () => {
  it("runs what fits at once and the rest as room is made", async () => {
    const jobs = ["a", "b", "c", "d"].map((name) => ({ name }));
    const { started, end, settle, done } = run(2, jobs);
    await settle();
    expect(started).toEqual(["a", "b"]);
    await end("b");
    expect(started).toEqual(["a", "b", "c"]);
    await end("a");
    await end("c");
    await end("d");
    expect(await Promise.all(done)).toEqual(["a", "b", "c", "d"]);
  });

  it("lets nothing light pass what is heavy and waits", async () => {
    const { started, end, settle } = run(6, [
      { name: "light", weight: 4 },
      { name: "heavy", weight: 3 },
      { name: "late" },
    ]);
    await settle();
    expect(started).toEqual(["light"]);
    await end("light");
    expect(started).toEqual(["light", "heavy", "late"]);
  });

  it("begins by the order, and as they came within it", async () => {
    const { started, end, settle } = run(1, [
      { name: "last", order: 2 },
      { name: "first", order: 0 },
      { name: "second", order: 1 },
      { name: "third", order: 1 },
    ]);
    await settle();
    for (const name of ["first", "second", "third"]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await end(name);
    }
    expect(started).toEqual(["first", "second", "third", "last"]);
  });

  it("makes room again for what failed", async () => {
    const { started, end, settle, done } = run(1, [{ name: "a" }, { name: "b" }]);
    const failed = expect(done[0]).rejects.toThrow("no");
    await settle();
    await end("a", new Error("no"));
    await failed;
    expect(started).toEqual(["a", "b"]);
  });

  it("refuses what could never fit", async () => {
    await expect(createGate(2).run({ weight: 3 }, async () => 1)).rejects.toThrow(RangeError);
  });
});
