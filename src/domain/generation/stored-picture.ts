import type { PictureStyle } from "./picture-prompt.ts";

// What is kept of pictures: each its bytes, and each call one record of what was asked. Keys begin
// with the tenant and its life, so that nothing of one is found under another's, and a deletion is the
// deletion of one prefix.

export interface StoredPicture {
  /** `img_` and a ULID. */
  readonly id: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  /** Null: the model takes none. */
  readonly seed: number | null;
}

/** How a variation came about. */
export const VARIED_BY = ["picture", "seed", "prompt"] as const;

export interface PictureRecord {
  /** Of this form; another is not read as this one. */
  readonly version: 1;
  /** The journal line of the call. */
  readonly callId: string;
  readonly requestId: string;
  readonly createdAtMs: number;
  readonly userId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** As the caller wrote it. */
  readonly prompt: string;
  readonly style: PictureStyle | null;
  readonly negativePrompt: string | null;
  /** The catalogue model that was asked and charged. */
  readonly model: string;
  /** What really ran, and where. */
  readonly ran: string | null;
  readonly engine: string | null;
  /** What it was told, in pixels and steps. */
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly variation: {
    readonly of: string;
    readonly by: (typeof VARIED_BY)[number];
  } | null;
  readonly pictures: readonly StoredPicture[];
}

/** Whose pictures: a tenant in one of its lives. */
export interface PictureOwner {
  readonly tenant: string;
  readonly generation: number;
}

/** A tenant id has no slash, so no prefix is the beginning of another's. */
export const generationPrefix = ({ tenant, generation }: PictureOwner): string =>
  `${tenant}/${generation}/`;

export const pictureKey = (owner: PictureOwner, id: string): string =>
  `${generationPrefix(owner)}images/${id}`;

export const recordKey = (owner: PictureOwner, callId: string): string =>
  `${generationPrefix(owner)}image-calls/${callId}.json`;

/** A picture that was moderated, where a tenant keeps contents. */
export const contentKey = (owner: PictureOwner, verdictId: string, index: number): string =>
  `${generationPrefix(owner)}contents/${verdictId}/${index}`;

/** The items of a batch, until it has ended. */
export const batchItemsKey = (owner: PictureOwner, batchId: string): string =>
  `${generationPrefix(owner)}batches/${batchId}/items`;

/** What the id of a picture looks like: anything else is the id of none. */
export const PICTURE_ID = /^img_[0-9A-HJKMNP-TV-Z]{26}$/;
