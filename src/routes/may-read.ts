import { IDEMPOTENCY_HEADER, parseIdempotencyKey } from "../http/call-labels.ts";
import type { LargeRequest, MayRead } from "../http/parse-call.ts";
import { readTenant, objectCaller } from "../edge/bindings.ts";

/** Asks the tenant's object about a large body before it is read. */
export const mayRead: MayRead = async ({
  request,
  env,
  requestId,
  caller,
  route,
}: LargeRequest) => {
  const idempotencyKey = parseIdempotencyKey(request.headers.get(IDEMPOTENCY_HEADER));
  if (idempotencyKey !== null && typeof idempotencyKey !== "string") return idempotencyKey;
  const call = route.admits === undefined ? null : { ...route.admits, idempotencyKey };
  const reply = await readTenant({ env, caller }, (tenant) =>
    tenant.mayRead({ requestId, caller: objectCaller(caller), call }),
  );
  return reply.kind === "may_read" ? null : reply;
};
