import type { Hold } from "../../domain/ledger/ledger.ts";
import type { CheckOutcome, Engine, Unanswered } from "../engine.ts";
import type { Generate, Generators } from "../inference.ts";

// AI Gateway in front of Workers AI. An answer of its cache ran no model: it costs nothing, and is named.
// Only the header of the raw reply says so. Where the header is lost (see call.ts), absent or anything but
// `HIT`, the call is charged as any other.
//
// The cache is the account's, and a hit shows as charge 0. Each entry is kept under a digest of the API key
// and the request: otherwise a tenant could find out what another one sent.

/** The engine of an item whose every call was answered by the gateway's cache. */
export const GATEWAY_CACHE = "ai-gateway-cache";

/** Read on the raw reply. Source: the AI Gateway pages on caching. */
const CACHE_STATUS = "cf-aig-cache-status";

type Run = (model: string, inputs: unknown, options: object) => Promise<unknown>;

interface Gateway {
  readonly ai: Ai;
  readonly gatewayId: string;
}

/** The binding as one engine call sees it: it counts the requests, and those that the cache answered. */
class GatewayCall {
  readonly #ai: Ai;
  readonly #gatewayId: string;
  /** The API key of the call. Its id belongs to one tenant, once. */
  readonly #keyId: string | null;
  #requests = 0;
  #hits = 0;

  constructor({ ai, gatewayId }: Gateway, { keyId }: Hold) {
    this.#ai = ai;
    this.#gatewayId = gatewayId;
    this.#keyId = keyId;
  }

  /** The adapters use nothing of the binding but `run`. */
  get binding(): Ai {
    const run: Run = async (model, inputs, options) => {
      this.#requests += 1;
      const ask = this.#ai.run.bind(this.#ai) as unknown as Run;
      // "AI Gateway does not support ReadableStreams yet", says the binding.
      if (hasStream(inputs)) return ask(model, inputs, options);
      const gateway = {
        id: this.#gatewayId,
        // Its logs would hold content, which nothing here could erase.
        collectLog: false,
        ...(await cacheOptions(this.#keyId, model, inputs)),
      };
      const reply = await ask(model, inputs, { ...options, gateway });
      if (reply instanceof Response && reply.ok && reply.headers.get(CACHE_STATUS) === "HIT") {
        this.#hits += 1;
      }
      return reply;
    };
    return { run } as unknown as Ai;
  }

  /** The outcome of the call; free if every request of it was answered by the cache. */
  free<Outcome extends { readonly kind: string }>(outcome: Outcome): Outcome {
    if (this.#hits === 0 || this.#hits < this.#requests) return outcome;
    switch (outcome.kind) {
      case "answered":
      case "failed":
        return { ...outcome, usage: {}, servedBy: GATEWAY_CACHE };
      case "streaming":
        return { ...outcome, servedBy: GATEWAY_CACHE };
      default:
        return outcome;
    }
  }
}

const hasStream = (inputs: unknown): boolean =>
  Object.values(inputs as object).some(
    (value: unknown) =>
      value instanceof ReadableStream ||
      (typeof value === "object" &&
        value !== null &&
        (value as { readonly body?: unknown }).body instanceof ReadableStream),
  );

/** A call without a key of its own is neither answered by the cache nor kept in it. */
async function cacheOptions(
  keyId: string | null | undefined,
  model: string,
  inputs: unknown,
): Promise<{ readonly skipCache: true } | { readonly cacheKey: string }> {
  if (typeof keyId !== "string" || !isRepeatable(inputs)) return { skipCache: true };
  const bytes = new TextEncoder().encode(JSON.stringify([keyId, model, inputs]));
  return { cacheKey: new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex() };
}

/**
 * Whether the same request has the same answer. A chat that is not at temperature 0, and a picture, are drawn
 * by chance: two answers of one call would be the same answer twice.
 */
function isRepeatable(inputs: unknown): boolean {
  const { messages, prompt, temperature } = inputs as Readonly<Record<string, unknown>>;
  return (messages === undefined && prompt === undefined) || temperature === 0;
}

/** @param engineOf makes the adapter for a binding, which holds no state */
export function throughGateway(ai: Ai, gatewayId: string, engineOf: (ai: Ai) => Engine): Engine {
  const engine = engineOf(ai);
  const gateway = { ai, gatewayId };
  return {
    ...engine,
    async run(hold, check, options): Promise<CheckOutcome> {
      const call = new GatewayCall(gateway, hold);
      return call.free(await engineOf(call.binding).run(hold, check, options));
    },
    generators: Object.fromEntries(
      Object.keys(engine.generators).map((kind) => [
        kind,
        generateThrough(gateway, (binding) => engineOf(binding).generators[kind as "chat"]),
      ]),
    ) as Generators,
    streamChat: async (hold, inference, options) => {
      const call = new GatewayCall(gateway, hold);
      const open = engineOf(call.binding).streamChat;
      if (open === null) return UNSUPPORTED;
      return call.free(await open(hold, inference, options));
    },
  };
}

const UNSUPPORTED: Unanswered = { kind: "unsupported" };

const generateThrough =
  (
    gateway: Gateway,
    generatorOf: (binding: Ai) => Generate<"chat"> | undefined,
  ): Generate<"chat"> =>
  async (hold, inference, options) => {
    const call = new GatewayCall(gateway, hold);
    const generate = generatorOf(call.binding);
    return generate === undefined
      ? UNSUPPORTED
      : call.free(await generate(hold, inference, options));
  };
