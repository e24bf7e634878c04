import * as v from "valibot";
import type { ModelCard } from "../../domain/catalogue/model-card.ts";
import type { ModelTask } from "../../domain/catalogue/model-task.ts";
import { costUsd } from "../../domain/ledger/money.ts";
import { shaped } from "../../http/field-errors.ts";

// The lists of Cloudflare's client: its models with the prices of this gateway, its tasks, and the
// formats that it turns into Markdown, of which there are none here.
// https://developers.cloudflare.com/api/resources/ai/subresources/models/methods/list/

/** Cloudflare's names of tasks. `other` is asked nowhere here. */
const TASK_NAMES: Readonly<Record<ModelTask, string>> = {
  text_generation: "Text Generation",
  text_classification: "Text Classification",
  text_embeddings: "Text Embeddings",
  image_classification: "Image Classification",
  object_detection: "Object Detection",
  image_to_text: "Image-to-Text",
  text_to_image: "Text-to-Image",
  speech_to_text: "Automatic Speech Recognition",
  text_to_speech: "Text-to-Speech",
  translation: "Translation",
  summarization: "Summarization",
  other: "Other",
};

const TaskOutput = v.object({ id: v.string(), name: v.string(), description: v.string() });

const PropertyOutput = v.object({
  property_id: v.picklist(["price", "context_window", "planned_deprecation_date"]),
  value: v.union([
    v.string(),
    v.array(v.object({ unit: v.string(), price: v.number(), currency: v.literal("USD") })),
  ]),
});

const ModelOutput = v.object({
  id: v.pipe(
    v.string(),
    v.description("The model's name: Cloudflare's own ids are not known here."),
  ),
  source: v.literal(1),
  name: v.string(),
  description: v.string(),
  task: TaskOutput,
  tags: v.array(v.string()),
  properties: v.array(PropertyOutput),
});

const listed = <Item extends v.GenericSchema>(item: Item) => ({
  success: v.literal(true),
  errors: v.pipe(v.array(v.never()), v.maxLength(0)),
  messages: v.pipe(v.array(v.never()), v.maxLength(0)),
  result: v.array(item),
});

export const ModelSearchOutput = v.object({
  ...listed(ModelOutput),
  result_info: v.object({
    page: v.number(),
    per_page: v.number(),
    count: v.number(),
    total_count: v.number(),
  }),
});

export const TaskSearchOutput = v.object(listed(TaskOutput));

export const MarkdownFormatsOutput = v.object(
  listed(v.object({ extension: v.string(), mimeType: v.string() })),
);

export const listing = <Item>(result: readonly Item[]) => ({
  success: true as const,
  errors: [],
  messages: [],
  result: [...result],
});

const wholeText = (description: string, most: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(shaped(/^[1-9]\d{0,5}$/, `must be a whole number from 1 to ${most}`)),
      v.transform(Number),
      v.maxValue(most),
      v.description(description),
    ),
  );

const word = (description: string) =>
  v.optional(v.pipe(v.string(), v.maxLength(128), v.description(description)));

/** Models on a page where the caller does not say. */
const PER_PAGE = 50;

/** Fields that are not known are passed over, as Cloudflare does. */
export const ModelSearchQuery = v.object({
  page: wholeText("From 1. The page after the last is empty.", 100_000),
  per_page: wholeText("Models on a page: 1 to 100.", 100),
  search: word("A part of the name or of the task's name."),
  task: word("The task's name, e.g. `Text Generation`."),
  author: word("The second part of the name, e.g. `meta`."),
  include_deprecated: v.optional(
    v.pipe(v.picklist(["true", "false"]), v.description("Those that were retired too.")),
  ),
});

export type ModelSearch = v.InferOutput<typeof ModelSearchQuery>;

/** @param cards models of the catalogue, without aliases */
export function searchModels(
  cards: readonly ModelCard[],
  { page = 1, per_page: perPage = PER_PAGE, ...wanted }: ModelSearch,
): v.InferOutput<typeof ModelSearchOutput> {
  const found = cards.filter((card) => isFound(card, wanted));
  const shown = found.slice((page - 1) * perPage, page * perPage);
  return {
    ...listing(shown.map(toModel)),
    result_info: { page, per_page: perPage, count: shown.length, total_count: found.length },
  };
}

const isLike = (text: string, part: string): boolean =>
  text.toLowerCase().includes(part.toLowerCase());

function isFound(
  { id, model }: ModelCard,
  { search = "", task, author }: Pick<ModelSearch, "search" | "task" | "author">,
): boolean {
  const name = TASK_NAMES[model.task];
  if (task !== undefined && name.toLowerCase() !== task.toLowerCase()) return false;
  if (author !== undefined && id.split("/")[1] !== author.toLowerCase()) return false;
  return isLike(id, search) || isLike(name, search);
}

const toTask = (task: ModelTask): v.InferOutput<typeof TaskOutput> => ({
  id: task,
  name: TASK_NAMES[task],
  description: "",
});

/** @param tasks of models that the tenant may call */
export const toTasks = (tasks: ReadonlySet<ModelTask>): v.InferOutput<typeof TaskOutput>[] =>
  [...tasks].toSorted().map(toTask);

function toModel({ id, model, prices }: ModelCard): v.InferOutput<typeof ModelOutput> {
  const priced = Object.entries(prices).map(([unit, microNeurons]) => toPrice(unit, microNeurons));
  return {
    id,
    source: 1,
    name: id,
    description: "",
    task: toTask(model.task),
    tags: [],
    properties: [
      ...(priced.length > 0 ? [{ property_id: "price" as const, value: priced }] : []),
      ...property("context_window", model.contextTokens),
      ...property("planned_deprecation_date", model.retiredOn),
    ],
  };
}

const property = (
  property_id: "context_window" | "planned_deprecation_date",
  value: string | number | null,
) => (value === null ? [] : [{ property_id, value: String(value) }]);

const MILLION = 1_000_000;

/** Tokens by the million, as Cloudflare prices them. */
function toPrice(unit: string, microNeurons: number) {
  const isToken = unit.endsWith("_token");
  const words = unit.replaceAll("_", " ");
  return {
    unit: isToken ? `per M ${words}s` : `per ${words}`,
    price: Number(costUsd(BigInt(microNeurons) * BigInt(isToken ? MILLION : 1))),
    currency: "USD" as const,
  };
}
