import { hashOf } from "../text/hash.ts";

/**
 * A lot by the id alone, so that a call that is repeated draws the same. By a hash, since ids of one batch
 * differ in their last characters only.
 *
 * @param share 0 to 1
 */
export const isSampled = (id: string, share: number): boolean => hashOf(id) / 2 ** 32 < share;
