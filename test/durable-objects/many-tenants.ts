import type { AccountMessage } from "../../durable-objects/account/account-protocol.ts";
import type { Account } from "../../durable-objects/account/account.ts";
import { ZERO } from "../../src/domain/ledger/micro-neurons.ts";
import { inAccount, NOW } from "./a-tenant.ts";

// Tenants by the thousand, as the account's object knows them: none of their objects is ever started.

export const nameOf = (at: number): string => `t-${String(at).padStart(5, "0")}`;

/** Tenants that the account knows, and what they are promised. */
export const known = (count: number): Promise<void> =>
  inAccount(({ storage }) => {
    for (let at = 0; at < count; at += 1) {
      storage.sql.exec(
        "INSERT INTO tenants (id, generation, state, carried_day, carried, created_at_ms) VALUES (?, 1, 'active', 0, 0, ?)",
        nameOf(at),
        NOW,
      );
      storage.sql.exec("INSERT INTO promises VALUES (?, 1, 1, 'free', 0, 0, 0, 0)", nameOf(at));
    }
  });

/** A message that says and asks nothing, if not said otherwise. */
export const askOf = (tenant: string, ask: Partial<AccountMessage>): AccountMessage => ({
  tenant,
  generation: 1,
  promised: { plan: "free", daily: ZERO, floor: ZERO, suspended: false, version: 1 },
  lease: null,
  rates: null,
  news: null,
  notice: 0,
  spent: [],
  probe: false,
  look: null,
  ...ask,
});

/** The account's object acts, and calls these in place of tenants' objects. */
export const withTenants = (
  getByName: (id: string) => object,
  act: (account: Account) => Promise<unknown>,
): Promise<void> =>
  inAccount(async (_, instance) => {
    const object = instance as unknown as { env: Env } & Account;
    const real = object.env;
    object.env = { ...real, TENANT: { getByName } as unknown as Env["TENANT"] };
    await act(object).finally(() => (object.env = real));
  });
