import { type Day, dayOf, endOf, formatDay } from "./period.ts";
import { generationPrefix, type PictureOwner } from "../generation/stored-picture.ts";

// A day of the journal, once it is old: one file in the bucket, a line of JSON for each of its lines
// as the ledger gives them. Its row stays, with hash, count and sum, beside the period's own.

const DAY_MS = 86_400_000;

/** How long after its period has closed a line stays in the object. The contract, section 6. */
const KEPT_DAYS = 35;

/**
 * - `writing`: the file is being made, and the lines are where they were;
 * - `stored`: the file is whole and was read back; the lines are being deleted;
 * - `done`: the file alone has them;
 * - `empty`: there were none;
 * - `broken`: lines and period disagree, so that nothing is deleted.
 */
export type ArchiveState = "writing" | "stored" | "done" | "empty" | "broken";

export interface Archive {
  readonly day: Day;
  readonly state: ArchiveState;
  readonly lines: number;
  /** Lines that name a person. */
  readonly persons: number;
  /** The sum of the lines, adjustments included: what the period posted. */
  readonly microNeurons: number;
  readonly bytes: number;
  /** Of the file's bytes, hex. */
  readonly sha256: string;
  /** 1, and one more for each time that a person was taken out: it is part of the file's name. */
  readonly revision: number;
  /** A person was taken out of a line while the file was being made: it is made anew. */
  readonly isStale: boolean;
  readonly madeAtMs: number;
  readonly rewrittenAtMs: number | null;
}

/** Whose files: as of pictures, they lie under the tenant and its life. */
export const archiveKey = (owner: PictureOwner, day: Day, revision: number): string =>
  `${generationPrefix(owner)}journal/${formatDay(day)}${revision === 1 ? "" : `.r${revision}`}.ndjson`;

/** The first day that is not old enough. */
export const keptFrom = (nowMs: number): Day => {
  const day = dayOf(nowMs) - KEPT_DAYS;
  return endOf(day) + KEPT_DAYS * DAY_MS <= nowMs ? day + 1 : day;
};

/** When a day is old enough. */
export const oldAt = (day: Day): number => endOf(day) + KEPT_DAYS * DAY_MS;

/** Whether the lines are in a file. */
export const isStored = ({ state }: Archive): boolean => state === "stored" || state === "done";

/** As it lies in a file, as far as it is looked at there. */
interface ArchivedLine {
  readonly id: string;
  readonly user_id: string | null;
  readonly items: readonly { readonly stage: string; readonly task?: string | null }[];
}

export interface WithoutPerson {
  readonly text: string;
  /** The call of that person's line; null: it is another's. */
  readonly callId: string | null;
  /** Files may be kept of the pictures that it made. */
  readonly madePictures: boolean;
}

/** A line of a file without a person: amounts and everything else stay. */
export function withoutPerson(text: string, userId: string): WithoutPerson {
  const line = JSON.parse(text) as ArchivedLine;
  if (line.user_id !== userId) return { text, callId: null, madePictures: false };
  return {
    text: JSON.stringify({ ...line, user_id: null }),
    callId: line.id,
    madePictures: line.items.some(
      ({ stage, task }) => stage === "generate" && task === "text_to_image",
    ),
  };
}

/** A line of a file where it is that person's; null where it is not. */
export function lineOfPerson(
  text: string,
  userId: string,
): ({ readonly object: string } & Readonly<Record<string, unknown>>) | null {
  const line = JSON.parse(text) as { readonly object: string; readonly user_id: string | null };
  return line.user_id === userId ? line : null;
}
