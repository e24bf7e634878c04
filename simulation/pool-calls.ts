import type { ModerationAdmit, SettleRequest } from "../durable-objects/tenant/protocol.ts";
import { heldItem, type Hold } from "../src/domain/ledger/ledger.ts";
import { microNeurons } from "../src/domain/ledger/micro-neurons.ts";
import type { SimulatedTenant } from "./pool-tenant.ts";
import type { Random } from "./random.ts";
import { ONE_PICTURE } from "./simulated-tenant.ts";

// The calls of an account's tenants: how large they are, and what their engines used.

/**
 * `dear`: calls with the largest possible hold that cost nothing. `erratic`: calls that are too large for
 * the rest, and small ones, in turn.
 */
type Manner = "honest" | "dear" | "erratic";

/** The manners of the three tenants in a history with hostile ones. */
const MANNERS: readonly Manner[] = ["honest", "dear", "erratic"];

const MOSTLY_NOTHING = Array.from({ length: 30 }, () => null);

export interface Call {
  readonly tenant: SimulatedTenant;
  readonly request: ModerationAdmit;
  hold: Hold | null;
}

/** Draws the calls of a world, and how they end. */
export class PoolCalls {
  readonly #random: Random;
  readonly #scale: number;
  /** µN. */
  readonly #mostHeld: (tenant: SimulatedTenant) => number;
  readonly #manners = new Map<string, Manner>();
  #drawn = 0;

  /**
   * @param scale a small call has so many pictures, twice or three times as many
   * @param mostHeld the largest hold of one call of a tenant in µN
   */
  constructor(random: Random, scale: number, mostHeld: (tenant: SimulatedTenant) => number) {
    this.#random = random;
    this.#scale = scale;
    this.#mostHeld = mostHeld;
  }

  /** Draws how the tenants behave. */
  giveManners(tenants: readonly SimulatedTenant[]): void {
    const isHostile = this.#random.chance(0.5);
    for (const [at, { id }] of tenants.entries()) {
      this.#manners.set(id, isHostile ? (MANNERS[at] ?? "honest") : "honest");
    }
  }

  next(tenant: SimulatedTenant): Call {
    return { tenant, request: this.#request(tenant), hold: null };
  }

  /** What the engines used, and what the account said of it. */
  settleRequest({ tenant, request, hold }: Call): SettleRequest {
    const random = this.#random;
    const overrun = microNeurons(random.chance(0.05) ? ONE_PICTURE : 0);
    const items = (hold?.stages ?? []).map((stage) => {
      const ran = this.#manners.get(tenant.id) !== "dear" && random.chance(0.8);
      return {
        ...heldItem(stage),
        model: ran ? stage.model : null,
        engine: ran ? "embedded" : null,
        microNeurons: ran ? stage.bound : microNeurons(0),
        overrun: ran ? overrun : microNeurons(0),
        basis: "counted" as const,
      };
    });
    const account = random.pick(["exhausted", "answered", ...MOSTLY_NOTHING] as const);
    return { callId: request.callId, items, verdicts: [], account, reply: null };
  }

  #pictures(tenant: SimulatedTenant): number {
    const few = this.#random.integer(1, 3) * this.#scale;
    const most = Math.floor(this.#mostHeld(tenant) / ONE_PICTURE);
    switch (this.#manners.get(tenant.id)) {
      case "dear":
        return Math.max(1, most);
      case "erratic":
        return this.#drawn % 2 === 0 ? few : Math.max(1, most) + this.#random.integer(-1, 1);
      default:
        return few;
    }
  }

  #request(tenant: SimulatedTenant): ModerationAdmit {
    this.#drawn += 1;
    const number = String(this.#drawn).padStart(26, "0");
    const pictures = Math.max(1, this.#pictures(tenant));
    return {
      kind: "moderation",
      callId: `jnl_${number}`,
      requestId: `req_${number}`,
      route: "POST /v1/verdicts",
      caller: { kind: "platform" },
      userId: null,
      context: null,
      contents: [{ text: null, pictures }],
      verdictIds: [`vrd_${number}`],
      policy: { name: null, known: null },
      idempotency: null,
    };
  }
}

export const picturesOf = ({ contents }: ModerationAdmit): number =>
  contents.reduce((sum, { pictures }) => sum + pictures, 0);
