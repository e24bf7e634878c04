import * as v from "valibot";
import { modelCard, modelCards } from "../domain/catalogue/model-card.ts";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { plainModel } from "../api/openai/drop-in.ts";
import { ModelListOutput, ModelOutput, toModel } from "../api/openai/model.ts";
import { readTenant, TENANT_READ } from "../edge/bindings.ts";

// OpenAI's list of models. It names what this tenant can call, so that whoever fills a menu from it
// offers nothing that is refused; a model by its id is told of whatever it is, with its replacement.

export const listModels = defineRoute({
  method: "GET",
  path: "/v1/models",
  summary: "OpenAI's list of models: those that this tenant may call, its aliases first",
  description: "`?include=all` adds the models that are refused, each with the reason.",
  surface: "openai",
  auth: { kind: "key", roles: ["call"] },
  query: v.object({ include: v.optional(v.picklist(["all"])) }),
  reply: { status: 200, schema: ModelListOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const read = await readTenant(call, (tenant, caller) => tenant.readProfile(caller));
    if (read.kind !== "profile") return read;
    const { id, settings } = read.profile;
    const cards = modelCards(settings, call.config).filter(
      ({ unusable }) => unusable === null || call.query.include === "all",
    );
    return ok({ object: "list", data: cards.map((card) => toModel(card, id)) });
  },
});

export const getModel = defineRoute({
  method: "GET",
  path: "/v1/models/:id+",
  summary: "A model or an alias: price, limits, retirement",
  description: "Also of a model that this tenant may not call, or that was retired.",
  surface: "openai",
  auth: { kind: "key", roles: ["call"] },
  reply: { status: 200, schema: ModelOutput },
  failures: [...TENANT_READ, "model_not_found"],
  handle: async (call) => {
    const read = await readTenant(call, (tenant, caller) => tenant.readProfile(caller));
    if (read.kind !== "profile") return read;
    const { id, settings } = read.profile;
    const model = plainModel(call.params.id);
    const card = modelCard(model, settings, call.config);
    return card === null ? { kind: "model_not_found", model } : ok(toModel(card, id));
  },
});
