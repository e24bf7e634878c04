import type { Config } from "../config.ts";
import { usable } from "../domain/ledger/quota.ts";
import { createEngine } from "../engines/create-engine.ts";
import { judgePicture, pictureModelOf } from "../engines/embedded/picture-model/picture-model.ts";
import { textJudge } from "../engines/embedded/text-model.ts";
import { callHeaders, rateLimitHeaders } from "../http/rate-headers.ts";
import type { Moderation, ModerationDeps } from "../moderation/moderation-call.ts";
import { resolveOverHttps } from "../io/resolve-host.ts";
import { bucketOf } from "./bucket.ts";
import { recordInferences } from "./record-inferences.ts";
import { tenantObject } from "./tenant-object.ts";

const RESOLVE_HOST = resolveOverHttps((...request) => fetch(...request));

/** What a moderation call needs of this deployment. */
export const moderationDeps = (call: {
  readonly env: Env;
  readonly config: Config;
  readonly caller: { readonly tenant: string };
}): ModerationDeps => ({
  config: call.config,
  engine: createEngine(call.config, call.env),
  tenant: () => tenantObject(call.env, call.caller.tenant),
  judgeText: textJudge(call.env.ASSETS),
  // With a real vision model the small one does not run: it finds less, and has more false alarms.
  judgePicture:
    call.config.inference === "embedded"
      ? (picture) => judgePicture(picture, pictureModelOf(call.env.ASSETS))
      : null,
  bucket: bucketOf(call.env),
  resolveHost: RESOLVE_HOST,
  observe: recordInferences(call.env, call.caller.tenant),
});

/**
 * Runs to its end even when the client leaves: what was admitted is settled. (After a disconnect
 * the platform grants 30 s; what is not settled by then, the hold's deadline settles.)
 */
export function toItsEnd<Result>(ctx: ExecutionContext, work: Promise<Result>): Promise<Result> {
  ctx.waitUntil(work.catch(() => undefined));
  return work;
}

/** The headers of a reply that cost something. */
export const costHeaders = (
  { microNeurons, standing, replayed }: Moderation,
  config: Config,
): Record<string, string> => ({
  ...callHeaders({
    microNeurons,
    available: usable(standing.neurons),
    engine: config.inference,
    replayed,
  }),
  ...rateLimitHeaders(standing),
});
