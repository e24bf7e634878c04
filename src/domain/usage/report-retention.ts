// How long the rows of the reports are kept, in the tenants' objects and in D1 alike.

const DAY_MS = 86_400_000;

/** Hours in the database of reports: today and these days before it. Its days stay as long as the rest. */
export const HOURS_KEPT_DAYS = 35;

/** Thirteen months and a little: a month beside the same one of the year before. */
export const HOURS_KEPT_MS = 400 * DAY_MS;

/** Users are persons: long enough for a quarter's statement, and no longer. */
export const USER_DAYS_KEPT_MS = 92 * DAY_MS;

/** Verdicts that do not allow; less where the tenant keeps its verdicts for less. */
export const LOG_KEPT_MS = 30 * DAY_MS;
