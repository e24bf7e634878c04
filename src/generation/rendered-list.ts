import type { Rendered } from "./generation-call.ts";

/** Longer lists are not made as one text: a vector of 1,024 numbers is about 20 kB of it. */
export const LONG_LIST = 100;

/** Items in a piece. */
const AT_ONCE = 8;

/**
 * JSON with a long list, which is made as it is read.
 *
 * @param whole with the list empty; no text before the list may say `"name":[]`
 * @param items read once, in order
 */
export function renderedList(whole: object, name: string, items: Iterable<unknown>): Rendered {
  const json = JSON.stringify(whole);
  const empty = `${JSON.stringify(name)}:[]`;
  const at = json.indexOf(empty) + empty.length - 1;
  if (at < empty.length - 1) throw new Error(`there is no empty list ${name}`);
  const pieces = listPieces(json.slice(0, at), items, json.slice(at));
  return { contentType: "application/json", body: new Uint8Array(), pieces };
}

function* listPieces(
  before: string,
  items: Iterable<unknown>,
  after: string,
): Generator<string, void> {
  let piece = before;
  let count = 0;
  for (const item of items) {
    piece += (count === 0 ? "" : ",") + JSON.stringify(item);
    count += 1;
    if (count % AT_ONCE > 0) continue;
    yield piece;
    piece = "";
  }
  yield piece + after;
}
