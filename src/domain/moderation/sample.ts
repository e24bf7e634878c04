import { hashOf } from "../text/hash.ts";

/**
 * A random draw by the id alone, so that a repeated call draws the same. It uses a hash, since the ids of
 * one batch differ in their last characters only.
 *
 * @param share 0 to 1
 */
export const isSampled = (id: string, share: number): boolean => hashOf(id) / 2 ** 32 < share;
