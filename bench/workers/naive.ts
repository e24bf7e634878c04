import { keyed } from "../../durable-objects/tenant/calls/content-hash.ts";
import { openStores } from "../../durable-objects/tenant/stores.ts";
import { readPlatform } from "../../durable-objects/tenant/platform.ts";
import type {
  AdmitReply,
  AdmitRequest,
  SettleReply,
  SettleRequest,
} from "../../durable-objects/tenant/protocol.ts";
import { settle } from "../../durable-objects/tenant/calls/settle.ts";
import { Transactions } from "../../durable-objects/tenant/transactions.ts";
import { objectDatabase } from "../../durable-objects/database.ts";
import worker, { Tenant as Governed } from "../../src/index.ts";
import { admitWithLease } from "../../simulation/generous-account.ts";
import { withFixedAi } from "./fixed-ai.ts";

// The same checks and the same records, as one would write them first: each reserve and each settle
// is a write transaction of its own, awaited before the next one of that tenant begins.

export { Account, BatchRun, StateApplies } from "../../src/index.ts";

export class Tenant extends Governed {
  readonly #stores = openStores(objectDatabase(this.ctx.storage), readPlatform(this.env));
  readonly #transactions = new Transactions(this.#stores, () => Date.now());
  #turn: Promise<unknown> = Promise.resolve();

  override admit(request: AdmitRequest): Promise<AdmitReply> {
    return this.#inTurn(() => {
      const profile = this.#transactions.profile();
      if (profile === null) return { kind: "invalid_key" };
      return this.#transactions.run(profile, (tx) => admitWithLease(tx, request));
    });
  }

  override async settle(request: SettleRequest): Promise<SettleReply> {
    const profile = this.#transactions.profile();
    if (profile === null) throw new Error("settled before it was admitted");
    const verdicts = await keyed(request.verdicts, profile.contentSecret);
    return this.#inTurn(() =>
      this.#transactions.run(profile, (tx) => settle(tx, { ...request, verdicts })),
    );
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
