import { textJudge } from "../engines/embedded/text-model.ts";
import { invalid } from "../http/field-errors.ts";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { calibrate } from "../moderation/calibrate.ts";
import { keptExamples } from "../moderation/kept-examples.ts";
import {
  CalibrationInput,
  CalibrationOutput,
  MAX_CALIBRATION_BYTES,
  toCalibration,
} from "../api/native/calibration.ts";
import { SCORED, scoring } from "./scoring.ts";
import { readTenant, UNAVAILABLE } from "../edge/bindings.ts";

const CALIBRATE = "POST /v1/policies/calibrate";

const keptOf = (call: Parameters<typeof readTenant>[0], fromMs: number, toMs: number) =>
  keptExamples({ fromMs, toMs }, [
    (before) =>
      readTenant(call, (tenant, caller) => tenant.reviewedTexts(caller, { fromMs, toMs, before })),
    (before) =>
      readTenant(call, (tenant, caller) => tenant.suggestedTexts(caller, { fromMs, toMs, before })),
  ]);

export const calibratePolicy = defineRoute({
  method: "POST",
  path: "/v1/policies/calibrate",
  summary: "Thresholds under which no judge is needed, from texts of your own with labels",
  description:
    "The text model inside the Worker scores each text; a threshold is chosen on one half of them and measured on the other, with a bound by Clopper and Pearson. Costs nothing, takes one of `requests`, and keeps nothing. With `from` it also reads the kept texts that people have decided. The texts must be drawn as they come: those that were flagged alone say nothing of what passes.",
  surface: "native",
  admits: { kind: "scoring", route: CALIBRATE },
  auth: { kind: "key", roles: [] },
  body: { schema: CalibrationInput, limitBytes: MAX_CALIBRATION_BYTES },
  reply: { status: 200, schema: CalibrationOutput },
  failures: [...SCORED, "not_found"],
  handle: async (call) => {
    const { policy: name, examples: given, from, to, max_miss_rate, confidence } = call.body;
    const nowMs = Date.now();
    if (from !== undefined && to === undefined && from > nowMs) {
      return invalid(["from"], "is in the future: nothing is kept from then on");
    }
    const found = await readTenant(call, (tenant, caller) => tenant.readPolicy(caller, name, null));
    if (found.kind !== "policy") return found;
    const kept = from === undefined ? null : await keptOf(call, from, to ?? nowMs);
    if (kept !== null && kept.kind !== "kept") return kept;
    // Of the same text the last label holds: the newest, a review before a suggestion, the request's.
    const examples = [...(kept?.examples ?? []).toReversed(), ...given];
    const terms = { maxMissRate: max_miss_rate, confidence };
    const scored = await scoring(call, CALIBRATE, () =>
      calibrate(textJudge(call.env.ASSETS), found.policy.policy, { ...terms, examples }),
    );
    if (scored.kind !== "scored") return scored;
    const { value, headers } = scored;
    return value === null
      ? UNAVAILABLE
      : ok(toCalibration(found.policy, terms, value, kept), { headers });
  },
});
