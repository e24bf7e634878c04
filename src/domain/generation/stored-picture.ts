import type { PictureStyle } from "./picture-prompt.ts";

// What is stored of pictures: the bytes of each, and one record of each call. Keys begin with the tenant
// and its generation, so that no tenant or generation finds the data of another, and a deletion deletes
// one prefix.

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

/** How a variation was made. */
export const VARIED_BY = ["picture", "seed", "prompt"] as const;

export interface PictureRecord {
  /** The version of this form; a record of another version is not read. */
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
  /** The catalogue model that was called and charged. */
  readonly model: string;
  /** The model that really ran, and the engine. */
  readonly ran: string | null;
  readonly engine: string | null;
  /** The size and steps that were sent, in pixels and steps. */
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly variation: {
    readonly of: string;
    readonly by: (typeof VARIED_BY)[number];
  } | null;
  readonly pictures: readonly StoredPicture[];
}

/** The owner of pictures: a tenant in one of its generations. */
export interface PictureOwner {
  readonly tenant: string;
  readonly generation: number;
}

/**
 * A tenant id has no slash, so no prefix is the beginning of another's.
 *
 * @throws RangeError without a generation: nobody would find, or erase, a file that lies under none
 */
export function generationPrefix({ tenant, generation }: PictureOwner): string {
  if (!Number.isSafeInteger(generation)) throw new RangeError("a file needs a generation");
  return `${tenant}/${generation}/`;
}

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

/** The form of a picture's id: anything else is no id. */
export const PICTURE_ID = /^img_[0-9A-HJKMNP-TV-Z]{26}$/;
