import { describe, expect, it } from "vitest";
import { GroupCommit } from "../../durable-objects/database.ts";

/** A commit that doubles, over a sync that ends when the test says so. */
function aGroup(fails: (operations: readonly number[]) => boolean = () => false) {
  const batches: (readonly number[])[] = [];
  const syncs: PromiseWithResolvers<void>[] = [];
  const group = new GroupCommit<number, number>(
    (operations) => {
      batches.push(operations);
      if (fails(operations)) throw new Error(`cannot commit ${operations.join()}`);
      return operations.map((operation) => operation * 2);
    },
    () => {
      const sync = Promise.withResolvers<void>();
      syncs.push(sync);
      return sync.promise;
    },
  );
  const endSync = async (error?: Error): Promise<void> => {
    const sync = syncs.shift();
    if (sync === undefined) throw new Error("nothing is being synced");
    if (error === undefined) sync.resolve();
    else sync.reject(error);
    // What waited for the sync goes on in the turns that follow.
    for (let turn = 0; turn < 10; turn += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one turn after the other
      await Promise.resolve();
    }
  };
  return { group, batches, syncs, endSync };
}

describe("a group commit", () => {
  it("answers nobody before what was committed is durable", async () => {
    const { group, endSync } = aGroup();
    let answer: number | null = null;
    const done = group.run(1).then((result) => (answer = result));
    await Promise.resolve();
    expect(answer).toBeNull();
    await endSync();
    expect(await done).toBe(2);
  });

  it("gathers what comes while a sync is on its way, in order", async () => {
    const { group, batches, endSync } = aGroup();
    const results = [1, 2, 3, 4].map((operation) => group.run(operation));
    expect(batches).toEqual([[1]]);
    await endSync();
    expect(batches).toEqual([[1], [2, 3, 4]]);
    const late = group.run(5);
    await endSync();
    await endSync();
    expect(await Promise.all([...results, late])).toEqual([2, 4, 6, 8, 10]);
    expect(batches).toEqual([[1], [2, 3, 4], [5]]);
  });

  it("commits at most 128 at once", async () => {
    const { group, batches, syncs, endSync } = aGroup();
    const results = Array.from({ length: 200 }, (_, at) => group.run(at));
    while (syncs.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- batch after batch
      await endSync();
    }
    expect(batches.map(({ length }) => length)).toEqual([1, 128, 71]);
    expect(await Promise.all(results)).toEqual(Array.from({ length: 200 }, (_, at) => at * 2));
  });

  it("fails one bad operation alone", async () => {
    const { group, batches, endSync } = aGroup((operations) => operations.includes(3));
    const results = Promise.allSettled([1, 2, 3, 4].map((operation) => group.run(operation)));
    await endSync();
    await endSync();
    expect((await results).map((result) => (result.status === "fulfilled" ? result.value : null)))
      // The third alone has no result.
      .toEqual([2, 4, null, 8]);
    expect(batches).toEqual([[1], [2, 3, 4], [2], [3], [4]]);
  });

  it("fails the whole batch whose sync failed, and goes on with the next", async () => {
    const { group, endSync } = aGroup();
    const results = Promise.allSettled([1, 2, 3].map((operation) => group.run(operation)));
    await endSync();
    await endSync(new Error("the disk is gone"));
    expect((await results).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    const next = group.run(4);
    await endSync();
    expect(await next).toBe(8);
  });
});
