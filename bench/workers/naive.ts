import { keyed, settle } from "../../durable-objects/tenant/calls/governed-calls.ts";
import type {
  AdmitReply,
  AdmitRequest,
  SettleReply,
  SettleRequest,
} from "../../durable-objects/tenant/protocol.ts";
import { hostOf } from "../../durable-objects/tenant/tenant.ts";
import { TenantNode } from "../../durable-objects/tenant/tenant-node.ts";
import { readPlatform, reportUsersADay } from "../../src/edge/platform.ts";
import worker, { Tenant as Governed } from "../../src/index.ts";
import { admitWithLease } from "../../simulation/generous-account.ts";
import { withFixedAi } from "./fixed-ai.ts";

// The same checks and records in a simple form: each reserve and each settle is a write transaction of its
// own, and the next one of that tenant waits for it.

export * from "../../src/index.ts";

/** It sends no reports. */
const OUTSIDE: Parameters<typeof hostOf>[2] = {
  platform: readPlatform,
  usersADay: reportUsersADay,
  clearReports: () => Promise.resolve(null),
};

export class Tenant extends Governed {
  #opened: TenantNode | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  override admit(request: AdmitRequest): Promise<AdmitReply> {
    return this.#inTurn(
      () =>
        this.#own.transact((tx) => admitWithLease(tx, request)) ?? { kind: "invalid_key" as const },
    );
  }

  override async settle(request: SettleRequest): Promise<SettleReply> {
    const profile = this.#own.profile();
    if (profile === null) throw new Error("settled before it was admitted");
    const verdicts = await keyed(request.verdicts, profile.contentSecret);
    return this.#inTurn(() =>
      this.#own.transactOrThrow((tx) => settle(tx, { ...request, verdicts })),
    );
  }

  /** Opened by the first call: a node finds out only at its start whether the tenant exists. */
  get #own(): TenantNode {
    return (this.#opened ??= new TenantNode(hostOf(this.ctx, () => this.env, OUTSIDE)));
  }

  #inTurn<Result>(step: () => Result): Promise<Result> {
    const done = this.#turn.then(async () => {
      const result = step();
      await this.ctx.storage.sync();
      return result;
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

export default withFixedAi(worker);
