import { ACCESS } from "./list/access.ts";
import { ACCOUNT } from "./list/account.ts";
import { ADMISSION } from "./list/admission.ts";
import { BORDER } from "./list/border.ts";
import { CALIBRATION } from "./list/calibration.ts";
import { DOCUMENTS } from "./list/documents.ts";
import { MONEY } from "./list/money.ts";
import { PICTURES } from "./list/pictures.ts";
import { PIPELINES } from "./list/pipelines.ts";
import { RESPONSES } from "./list/responses.ts";
import { SESSIONS } from "./list/sessions.ts";
import { STORAGE } from "./list/storage.ts";
import { VERDICTS } from "./list/verdicts.ts";
import { WEBHOOKS } from "./list/webhooks.ts";
import type { Mutation } from "./mutation.ts";

// Mutations that the tests must notice, by area. `mutations.mjs` runs them.

export const MUTATIONS: readonly Mutation[] = [
  ...MONEY,
  ...ADMISSION,
  ...ACCOUNT,
  ...ACCESS,
  ...PICTURES,
  ...PIPELINES,
  ...DOCUMENTS,
  ...VERDICTS,
  ...CALIBRATION,
  ...WEBHOOKS,
  ...BORDER,
  ...STORAGE,
  ...RESPONSES,
  ...SESSIONS,
];
