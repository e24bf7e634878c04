import {
  CATALOGUE,
  type Model,
  type PriceOverrides,
  rateClassOf,
  resolveModel,
} from "./catalogue.ts";
import { AUTO } from "../generation/routing.ts";
import { rateLimitFor, type Settings } from "../tenant/settings.ts";

// What a tenant can know of a model before it calls it: its price here, how often it may be called, and
// whether it may be called at all.

/** The platform's settings for models, which no tenant can change. */
export interface ModelTerms {
  readonly workersPlan: "free" | "paid";
  readonly prices: PriceOverrides;
}

/** The kind of the refusal of a call that names the model. */
export type Unusable = "model_not_allowed" | "model_retired" | "unpriced_model";

export interface ModelCard {
  readonly id: string;
  readonly model: Model;
  /** The prices that are charged: the platform's own replace the published ones. */
  readonly prices: Model["prices"];
  readonly rateClass: string;
  /** Calls a minute that this tenant may make of its class. */
  readonly rpm: number;
  /** Null: it may be called. */
  readonly unusable: Unusable | null;
  /** The model that the alias stands for; null where the id is a model's own. */
  readonly aliasOf: string | null;
}

/** Null for an id that is neither a model nor an alias of the tenant. */
export function modelCard(id: string, settings: Settings, terms: ModelTerms): ModelCard | null {
  const target = Object.hasOwn(settings.aliases, id) ? settings.aliases[id] : undefined;
  const model = (target ?? id) === AUTO ? AUTO_MODEL : CATALOGUE.get(target ?? id);
  if (model === undefined) return null;
  const found = resolveModel(model.id, terms);
  const rateClass = rateClassOf(model);
  return {
    id,
    model,
    prices: found.kind === "found" ? found.model.prices : model.prices,
    rateClass,
    rpm: rateLimitFor(settings, rateClass, settings.rpm["requests"] ?? 0),
    unusable:
      model === AUTO_MODEL
        ? unusableAuto(settings, terms)
        : unusable(model.id, found.kind, settings),
    aliasOf: target ?? null,
  };
}

/** `auto` in a list: its price is that of the model which is picked. */
const AUTO_MODEL: Model = {
  id: AUTO,
  task: "text_generation",
  prices: {},
  contextTokens: null,
  rpm: null,
  ownRpm: false,
  requiresWorkersPaid: false,
  retiredOn: null,
  replacement: null,
  reranks: false,
  picture: null,
  bounds: {
    templateTokens: 0,
    messageTokens: 0,
    toolTokens: 0,
    imageTokens: null,
    specialTokens: 0,
    maxInputTokens: null,
    maxOutputTokens: null,
    source: null,
  },
};

/** `auto` cannot be used where no model for text generation may run. */
function unusableAuto(settings: Settings, terms: ModelTerms): Unusable | null {
  const some = [...CATALOGUE.values()].some(
    ({ id, task }) =>
      task === AUTO_MODEL.task && unusable(id, resolveModel(id, terms).kind, settings) === null,
  );
  return some ? null : "model_not_allowed";
}

/** The aliases first, since the tenant chose their names. */
export const modelCards = (settings: Settings, terms: ModelTerms): readonly ModelCard[] =>
  [...new Set([...Object.keys(settings.aliases), AUTO, ...CATALOGUE.keys()])].flatMap(
    (id) => modelCard(id, settings, terms) ?? [],
  );

/** In the order in which a call is refused: a model outside the tenant's list comes first. */
function unusable(
  id: string,
  found: ReturnType<typeof resolveModel>["kind"],
  { models }: Settings,
): Unusable | null {
  if (models !== null && !models.includes(id)) return "model_not_allowed";
  return found === "found" || found === "model_not_found" ? null : found;
}
