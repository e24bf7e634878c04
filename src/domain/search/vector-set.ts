import type { ServiceFailure } from "../ledger/failure.ts";
import type { VectorRef } from "./code-table.ts";

// The vectors of a document. Each time that a document is embedded makes a set of its own, with a key that
// nothing else ever has: what is removed late never hits what was written since.

/** Vectors a shard holds at most: 20 MB of codes of 1,024 numbers, in an isolate of 128 MB. */
export const MOST_IN_SHARD = 20_000;

/** Shards of a tenant: 320,000 passages. What is more goes to Vectorize, or is refused. */
export const MOST_SHARDS = 16;

/**
 * Passages of one document at most; what is beyond is not searchable. A text of 1 MiB, the largest, has about
 * 1,050: each passage has some 1,000 bytes that the one before does not have.
 */
export const MOST_CHUNKS = 2000;

/** Where a set lies: in a shard of the tenant, or in the account's Vectorize index. */
export type Place = { readonly kind: "shard"; readonly number: number } | VectorizePlace;
type VectorizePlace = { readonly kind: "vectorize" };

export const VECTORIZE: VectorizePlace = { kind: "vectorize" };

/** The owner of vectors: one life of a tenant's id. */
export interface VectorOwner {
  readonly tenant: string;
  readonly generation: number;
}

/**
 * What embedded the texts, and how long the vectors are: only vectors of one space can be compared. A
 * stand-in has its own space, so that its vectors are never compared with a model's.
 */
export interface Space {
  /** The model that really ran. */
  readonly model: string;
  readonly dimensions: number;
}

/** What is known of the document of a set, and can be asked for in a filter. */
export interface SetLabels {
  readonly documentId: string;
  readonly type: string;
  /** The person whose document it is; null: none was named. */
  readonly userId: string | null;
}

/** A set as the tenant's object knows it. */
export interface VectorSet extends SetLabels {
  /** `vec_` and a ULID. */
  readonly key: string;
  /** The call that made the document: which life and text of it was embedded. */
  readonly revision: string;
  readonly space: Space;
  readonly place: Place;
  readonly chunks: number;
  /**
   * `writing`: a call is in progress, or was cut off; what is not ready by `dueAtMs` is removed. `ready`: it
   * is searched. `removing`: its vectors are still to be removed, and it is found no more.
   */
  readonly state: "writing" | "ready" | "removing";
  /** Null: it is ready. */
  readonly dueAtMs: number | null;
  /** How often its removal failed. */
  readonly tries: number;
}

/** A text of a document that is to be embedded, and the model whose vectors a search compares now. */
export interface TextToEmbed extends Pick<SetLabels, "documentId">, Pick<Space, "model"> {
  readonly revision: string;
}

/** Whether the text is found with the vectors of a set. Those of another model are never compared. */
export const isEmbedded = (
  set: VectorSet | null,
  { revision, model }: Omit<TextToEmbed, "documentId">,
): boolean => set?.revision === revision && set.space.model === model;

/** A set that is about to be written. */
export interface NewSet extends SetLabels {
  readonly key: string;
  readonly revision: string;
  readonly space: Space;
  readonly chunks: number;
  /** When nothing writes it any more: if it is not ready by then, it is removed. */
  readonly untilMs: number;
}

export type Reserved =
  | { readonly kind: "reserved"; readonly place: Place; readonly owner: VectorOwner }
  /** The same text was embedded in the same space: it can be found already. */
  | { readonly kind: "embedded"; readonly set: VectorSet }
  | Extract<ServiceFailure, { kind: "storage_full" }>;

/** The wait after the first removal that failed; each later one is twice as long. */
const RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 3_600_000;

/** It is found no more. The vectors of one that is being written are removed when nothing writes them. */
export const released = (set: VectorSet, nowMs: number): VectorSet => ({
  ...set,
  userId: null,
  state: "removing",
  dueAtMs: Math.max(nowMs, set.dueAtMs ?? nowMs),
});

export const removalFailed = (set: VectorSet, nowMs: number): VectorSet => ({
  ...set,
  dueAtMs: nowMs + Math.min(RETRY_MS * 2 ** set.tries, LONGEST_RETRY_MS),
  tries: set.tries + 1,
});

/** An absent field leaves out nothing. */
export interface SearchFilter {
  readonly documentIds?: readonly string[];
  readonly types?: readonly string[];
  readonly userId?: string;
}

export const matches = ({ documentIds, types, userId }: SearchFilter, labels: SetLabels): boolean =>
  (documentIds === undefined || documentIds.includes(labels.documentId)) &&
  (types === undefined || types.includes(labels.type)) &&
  (userId === undefined || labels.userId === userId);

/** A passage as it is kept beside its vector. */
export interface Passage {
  /** Its place in the document, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface VectorHit extends VectorRef {
  /** The cosine of the passage and the query, -1 to 1. */
  readonly score: number;
}

/** A hit as its place gives it. */
export interface PlacedHit extends VectorHit {
  /** Null: the place gives passages only by `read`. */
  readonly passage: Passage | null;
}

/** The best first; of equals the one with the lower key, so that the order is always the same. */
export const byScore = (a: VectorHit, b: VectorHit): number =>
  b.score - a.score || (a.set < b.set ? -1 : Number(a.set > b.set)) || a.ordinal - b.ordinal;

/** The id of a vector in Vectorize, which takes 64 bytes: a set's key has 30. */
export const vectorId = ({ set, ordinal }: VectorRef): string => `${set}.${ordinal}`;

/** Null: no id of ours. */
export function parseVectorId(id: string): VectorRef | null {
  const parts = /^(vec_[0-9A-HJKMNP-TV-Z]{26})\.(\d{1,5})$/.exec(id);
  return parts === null ? null : { set: parts[1] ?? "", ordinal: Number(parts[2]) };
}
