/**
 * What a key may do. `manage` may do all that the other roles may. `score` may only have comments scored: it
 * is the only role whose key may be in a URL or in a page of another site.
 */
export const ROLES = ["call", "review", "manage", "score"] as const;
export type Role = (typeof ROLES)[number];
