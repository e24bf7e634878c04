import { type Day, dayOf, endOf, formatDay } from "./period.ts";
import { generationPrefix, type PictureOwner } from "../generation/stored-picture.ts";

// The archive of an old day of the journal: one file in the bucket, with one line of JSON for each of its
// lines, as the ledger returns them. Its row stays in the object, with hash, count and sum, beside the
// period's own row.

const DAY_MS = 86_400_000;

/** How long a line stays in the object after its period has closed. */
const KEPT_DAYS = 35;

/**
 * - `writing`: the file is being written, and the lines are still in the object;
 * - `stored`: the file is complete and was read back; the lines are being deleted;
 * - `done`: only the file has the lines;
 * - `empty`: there were no lines;
 * - `broken`: lines and period disagree, so nothing is deleted.
 */
export type ArchiveState = "writing" | "stored" | "done" | "empty" | "broken";

export interface Archive {
  readonly day: Day;
  readonly state: ArchiveState;
  readonly lines: number;
  /** Lines that name a person. */
  readonly persons: number;
  /** The sum of the lines, including adjustments: the period's posted amount. */
  readonly microNeurons: number;
  readonly bytes: number;
  /** SHA-256 of the file's bytes, hex. */
  readonly sha256: string;
  /** 1, plus one for each erasure of a person from the file. It is part of the file's name. */
  readonly revision: number;
  /** A person was erased from a line while the file was being written: it is written again. */
  readonly isStale: boolean;
  readonly madeAtMs: number;
  readonly rewrittenAtMs: number | null;
}

/** Like pictures, the files lie under the tenant and its generation. */
export const archiveKey = (owner: PictureOwner, day: Day, revision: number): string =>
  `${generationPrefix(owner)}journal/${formatDay(day)}${revision === 1 ? "" : `.r${revision}`}.ndjson`;

/** The first day that is not old enough to archive. */
export const keptFrom = (nowMs: number): Day => {
  const day = dayOf(nowMs) - KEPT_DAYS;
  return endOf(day) + KEPT_DAYS * DAY_MS <= nowMs ? day + 1 : day;
};

/** When a day is old enough to archive. */
export const oldAt = (day: Day): number => endOf(day) + KEPT_DAYS * DAY_MS;

/** Whether the file has all lines. */
export const isStored = ({ state }: Archive): boolean => state === "stored" || state === "done";

/** The fields of a line in a file that are read here. */
interface ArchivedLine {
  readonly id: string;
  readonly user_id: string | null;
  readonly document_id?: string;
  readonly items: readonly { readonly stage: string; readonly task?: string | null }[];
}

export interface WithoutPerson {
  readonly text: string;
  /** The call of that person's line; null: the line is not theirs. */
  readonly callId: string | null;
  /** The call made pictures, whose files may still be stored. */
  readonly madePictures: boolean;
}

/** A line of a file without the person: amounts and everything else stay. */
export function withoutPerson(text: string, userId: string): WithoutPerson {
  const line = JSON.parse(text) as ArchivedLine;
  if (line.user_id !== userId) return { text, callId: null, madePictures: false };
  const { document_id: _, ...rest } = line;
  return {
    text: JSON.stringify({ ...rest, user_id: null, ...("context" in rest && { context: null }) }),
    callId: line.id,
    madePictures: line.items.some(
      ({ stage, task }) => stage === "generate" && task === "text_to_image",
    ),
  };
}

/** A line of a file if it is that person's, else null. */
export function lineOfPerson(
  text: string,
  userId: string,
): ({ readonly object: string } & Readonly<Record<string, unknown>>) | null {
  const line = JSON.parse(text) as { readonly object: string; readonly user_id: string | null };
  return line.user_id === userId ? line : null;
}
