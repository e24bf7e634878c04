import * as v from "valibot";
import { reason, someNeurons } from "./grant.ts";
import { name } from "../field.ts";
import { strictObject } from "../object-input.ts";

// Adjustments on the wire: lines of the journal that give back.

export const AdjustmentInput = strictObject({
  line_id: name("The journal line (`jnl_…`) of which something is given back."),
  neurons: v.optional(someNeurons("How many, up to six decimals; absent: all that is left of it.")),
  reason: reason("Why, for people; the tenant reads it."),
});
