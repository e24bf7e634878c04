/**
 * What a key may do. `manage` may do everything that the others may. `score` has comments scored and
 * nothing else: the only role whose key may stand in an address or in a page of another site.
 */
export const ROLES = ["call", "review", "manage", "score"] as const;
export type Role = (typeof ROLES)[number];
