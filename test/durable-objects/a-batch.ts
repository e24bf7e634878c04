import { env } from "cloudflare:workers";
import type { BatchParams } from "../../src/domain/moderation/batch.ts";
import { ask, type TestTenant, WITHOUT_RUNS } from "../client.ts";

export const KIND = "Nice to meet you all here today";

export interface TestBatch {
  readonly params: BatchParams;
  readonly path: string;
  /** As its GET returns it. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it as they like
  readonly read: () => Promise<any>;
}

/** A batch that nothing runs but its test, step by step. */
export async function aBatch(
  name: string,
  tenant: TestTenant,
  { items = 10, ...more }: { items?: number | readonly object[]; resume?: string } = {},
): Promise<TestBatch> {
  const all =
    typeof items === "number" ? Array.from({ length: items }, () => ({ text: KIND })) : items;
  const { body } = await ask("POST", "/v1/verdicts/batches", {
    key: tenant.key,
    body: { items: all, ...more },
    env: WITHOUT_RUNS,
  });
  const path = `/v1/verdicts/batches/${body.id}`;
  return {
    params: { tenant: name, life: 1, batch: body.id },
    path,
    read: async () => (await tenant.call("GET", path)).body,
  };
}

const unsettled = (name: string): object =>
  new Proxy(env.TENANT.getByName(name), {
    get: (stub, method) =>
      method === "settle"
        ? () => Promise.reject(new Error("killed"))
        : (Reflect.get(stub, method) as unknown),
  });

/** Where whoever runs it dies before a call is settled. */
export const withoutSettlements = (): Env =>
  ({ ...env, TENANT: { getByName: unsettled } }) as unknown as Env;
