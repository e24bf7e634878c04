// Where Google's clients put a key: as a bearer token, in their own header, or in the query. Where several
// are sent, the first of these counts, and no other makes up for a wrong one.

export const GOOGLE_KEY_HEADER = "x-goog-api-key";
export const GOOGLE_KEY_PARAM = "key";

const BEARER = /^Bearer +(\S+)$/i;

export interface GoogleKey {
  readonly key: string;
  readonly inQuery: boolean;
}

/** Null: none was sent. */
export function googleKey({ headers, url }: Request): GoogleKey | null {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    // Another scheme is no key.
    return { key: BEARER.exec(authorization.trim())?.[1] ?? "", inQuery: false };
  }
  const named = headers.get(GOOGLE_KEY_HEADER);
  if (named !== null) return { key: named.trim(), inQuery: false };
  const key = new URL(url).searchParams.get(GOOGLE_KEY_PARAM);
  return key === null || key === "" ? null : { key, inQuery: true };
}
