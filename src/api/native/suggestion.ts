import * as v from "valibot";
import { isoTime } from "../../domain/ledger/period.ts";
import { forEach, JUDGED_CATEGORIES } from "../../domain/moderation/category.ts";
import type { Suggestion } from "../../domain/moderation/labelled-text.ts";
import { name, time } from "../field.ts";

// A kept label of `comments:suggestscore`, on the wire.

export const SuggestionOutput = v.object({
  object: v.literal("suggestion"),
  id: name("`sug_` and a ULID."),
  text: v.string(),
  labels: v.object(forEach(JUDGED_CATEGORIES, () => v.exactOptional(v.boolean()))),
  created_at: time("When it was kept."),
});

export const toSuggestion = ({
  id,
  text,
  labels,
  createdAtMs,
}: Suggestion): v.InferOutput<typeof SuggestionOutput> => ({
  object: "suggestion",
  id,
  text,
  labels: { ...labels },
  created_at: isoTime(createdAtMs),
});
