import { generationPrefix, type PictureOwner } from "../generation/stored-picture.ts";
import type { InputItem, OutputItem } from "./item.ts";

// What is kept of a response: one file with the reply and the caller's own items of that turn. The turns
// before it are in the files of its parents.

/** A reply, as far as it is read again here. The rest is given back as it was sent. */
export interface KeptReply {
  readonly id: string;
  readonly output: readonly OutputItem[];
}

export interface KeptResponse<Reply extends KeptReply = KeptReply> {
  /** The version of this form; a file of another version is not read. */
  readonly version: 1;
  readonly userId: string | null;
  /** The caller's items of this turn, references resolved. */
  readonly input: readonly InputItem[];
  readonly response: Reply;
}

/** Keys begin with the tenant and its generation, as those of pictures do. */
export const responseKey = (owner: PictureOwner, id: string): string =>
  `${generationPrefix(owner)}responses/${id}.json`;

/** The turns of a conversation, and those whose items a call names, in one call. */
export const MOST_RESPONSES = { free: 40, paid: 200 } as const;

/** Of all files that one call reads: as large as the body of a chat may be. */
export const MOST_HISTORY_BYTES = 2 * 1024 * 1024;
