// Where Google's clients put a key: in a header of theirs, in the query, or as a bearer. Where several
// are sent the first of these holds, and no other makes up for it.

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
    // What is no bearer is no key: it opens nothing.
    return { key: BEARER.exec(authorization.trim())?.[1] ?? "", inQuery: false };
  }
  const named = headers.get(GOOGLE_KEY_HEADER);
  if (named !== null) return { key: named.trim(), inQuery: false };
  const asked = new URL(url).searchParams.get(GOOGLE_KEY_PARAM);
  return asked === null || asked === "" ? null : { key: asked, inQuery: true };
}
