/** The name of the one object: one Cloudflare account, one list of tenants. */
export const ACCOUNT_NAME = "account";
