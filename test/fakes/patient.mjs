/**
 * Options of a fake's server: it closes no connection that is idle. On a busy machine a caller may take
 * one up again just as it is closed, and its request is lost.
 */
export const PATIENT = { keepAliveTimeout: 0 };
