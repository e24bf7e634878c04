import * as v from "valibot";
import { CATALOGUE } from "../../domain/catalogue/catalogue.ts";
import {
  ANSWER_LENGTHS,
  COMPLEXITIES,
  ROUTING_TASKS,
} from "../../domain/generation/prompt-features.ts";
import { stated } from "../../http/field-errors.ts";
import { strictObject } from "../object-input.ts";

// The table that `auto` is read from, as a part of a policy.

const MAX_RULES = 64;
const MAX_MODELS = 8;

/** Whether it may run for the tenant is looked at with each call: plans and prices change. */
const writesText = (id: string): boolean => {
  const model = CATALOGUE.get(id);
  return model?.task === "text_generation" && model.retiredOn === null;
};

const condition = <const Values extends readonly string[]>(values: Values, description: string) =>
  v.optional(v.pipe(v.nullable(v.picklist(values)), v.description(description)), null);

const Rule = strictObject({
  task: condition(ROUTING_TASKS, "Holds for this kind of work; null: for any."),
  complexity: condition(COMPLEXITIES, "Holds for this complexity; null: for any."),
  length: condition(ANSWER_LENGTHS, "Holds for answers of this length; null: for any."),
  models: v.pipe(
    v.array(
      v.pipe(
        v.string(),
        v.maxLength(128),
        v.check(stated("must be a model of the catalogue that writes text", writesText)),
      ),
    ),
    v.minLength(1),
    v.maxLength(MAX_MODELS),
    v.description("In the order of choice: the first that may run for the tenant."),
  ),
});

export const RoutingTable = v.pipe(
  strictObject({
    rules: v.pipe(v.array(Rule), v.maxLength(MAX_RULES), v.description("Read from the top.")),
  }),
  v.description("Which model answers a call that names `auto`. Of the policy `default` it counts."),
);
