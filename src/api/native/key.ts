import * as v from "valibot";
import type { Key } from "../../domain/tenant/key.ts";
import { formatDay, isoTime } from "../../domain/ledger/period.ts";
import { ROLES } from "../../domain/tenant/role.ts";
import { name, time, timeInput, wholeNumber } from "../field.ts";
import { strictObject } from "../object-input.ts";

export const NewKeyInput = strictObject({
  name: v.optional(name("For people.")),
  role: v.optional(v.pipe(v.picklist(ROLES), v.description("What the key may do.")), "call"),
  expires_at: v.optional(timeInput("When it ends by itself.")),
});

export const RotateKeyInput = strictObject({
  overlap_s: v.optional(
    wholeNumber(0, 604_800, "How long the old key goes on beside the new one; 0 ends it now."),
    86_400,
  ),
});

export const KeyOutput = v.object({
  id: name("`key_` and a ULID."),
  object: v.literal("key"),
  name: v.nullable(v.string()),
  role: v.picklist(ROLES),
  prefix: v.pipe(v.string(), v.description("The first four characters of the secret.")),
  created_at: time("When it was made."),
  expires_at: v.nullable(time("When it ends by itself.")),
  last_used_on: v.nullable(v.pipe(v.string(), v.description("The last UTC day of its use."))),
});

export const IssuedKeyOutput = v.object({
  ...KeyOutput.entries,
  key: v.pipe(
    v.nullable(v.string()),
    v.description("The key itself, once; null when an idempotency key was repeated."),
  ),
  replaces: v.nullable(v.pipe(v.string(), v.description("The key that was rotated."))),
});

export const toKey = (key: Key): v.InferOutput<typeof KeyOutput> => ({
  id: key.id,
  object: "key",
  name: key.name,
  role: key.role,
  prefix: key.prefix,
  created_at: isoTime(key.createdAtMs),
  expires_at: key.expiresAtMs === null ? null : isoTime(key.expiresAtMs),
  last_used_on: key.lastUsedDay === null ? null : formatDay(key.lastUsedDay),
});
