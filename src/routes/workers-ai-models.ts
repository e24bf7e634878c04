import { type ModelCard, modelCards } from "../domain/catalogue/model-card.ts";
import { AUTO } from "../domain/generation/routing.ts";
import { ok } from "../http/reply.ts";
import { ACCOUNT } from "../http/mount.ts";
import { defineRoute } from "../http/route.ts";
import { plainModel } from "../api/openai/drop-in.ts";
import type { Config } from "../config.ts";
import {
  inputSchemaOf,
  ModelSchemaOutput,
  ModelSchemaQuery,
} from "../api/workers-ai/input-schema.ts";
import {
  listing,
  MarkdownFormatsOutput,
  ModelSearchOutput,
  ModelSearchQuery,
  searchModels,
  TaskSearchOutput,
  toTasks,
} from "../api/workers-ai/model-search.ts";
import { NO_TASK } from "./workers-ai-run.ts";
import { readTenant, TENANT_READ } from "../edge/bindings.ts";

// What Cloudflare's client asks about models before it runs one: those of this tenant, at its prices.

/** Models, without the tenant's aliases: Cloudflare's client knows none. */
async function ownModels(
  call: Parameters<typeof readTenant>[0] & { readonly config: Config },
  isListed: (card: ModelCard) => boolean,
) {
  const read = await readTenant(call, (tenant, caller) => tenant.readProfile(caller));
  if (read.kind !== "profile") return read;
  const cards = modelCards(read.profile.settings, call.config).filter(
    (card) => card.aliasOf === null && card.id !== AUTO && isListed(card),
  );
  return { kind: "models" as const, cards };
}

const isUsable = ({ unusable }: ModelCard): boolean => unusable === null;

export const searchWorkersAiModels = defineRoute({
  method: "GET",
  path: `${ACCOUNT}/ai/models/search`,
  summary: "Cloudflare's list of models: those that this tenant may call, at its prices",
  surface: "workers-ai",
  auth: { kind: "key", roles: ["call"] },
  query: ModelSearchQuery,
  reply: { status: 200, schema: ModelSearchOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const withRetired = call.query.include_deprecated === "true";
    const found = await ownModels(
      call,
      (card) => isUsable(card) || (withRetired && card.unusable === "model_retired"),
    );
    return found.kind === "models" ? ok(searchModels(found.cards, call.query)) : found;
  },
});

export const readWorkersAiSchema = defineRoute({
  method: "GET",
  path: `${ACCOUNT}/ai/models/schema`,
  summary: "Cloudflare's schema of a model: the body that it takes here",
  surface: "workers-ai",
  auth: { kind: "key", roles: ["call"] },
  query: ModelSchemaQuery,
  reply: { status: 200, schema: ModelSchemaOutput },
  failures: [...TENANT_READ, "model_not_found", "engine_unsupported"],
  handle: async (call) => {
    const model = plainModel(call.query.model);
    const found = await ownModels(call, (card) => card.id === model && isUsable(card));
    if (found.kind !== "models") return found;
    const [card] = found.cards;
    if (card === undefined) return { kind: "model_not_found", model };
    const input = inputSchemaOf(card.model);
    if (input === null) return NO_TASK;
    const result = { input: { ...input }, output: {} };
    return ok({ success: true as const, errors: [], messages: [], result });
  },
});

export const searchWorkersAiTasks = defineRoute({
  method: "GET",
  path: `${ACCOUNT}/ai/tasks/search`,
  summary: "Cloudflare's list of tasks: those of the models that this tenant may call",
  surface: "workers-ai",
  auth: { kind: "key", roles: ["call"] },
  reply: { status: 200, schema: TaskSearchOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const found = await ownModels(call, isUsable);
    if (found.kind !== "models") return found;
    return ok(listing(toTasks(new Set(found.cards.map(({ model }) => model.task)))));
  },
});

export const listMarkdownFormats = defineRoute({
  method: "GET",
  path: `${ACCOUNT}/ai/tomarkdown/supported`,
  summary: "The formats that are turned into Markdown here: none",
  surface: "workers-ai",
  auth: { kind: "key", roles: ["call"] },
  reply: { status: 200, schema: MarkdownFormatsOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const read = await readTenant(call, (tenant, caller) => tenant.readProfile(caller));
    return read.kind === "profile" ? ok(listing([])) : read;
  },
});
