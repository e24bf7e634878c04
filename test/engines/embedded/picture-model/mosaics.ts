import { makePng } from "../sample-pictures.ts";

// Mosaics of six by six colours, found by trying changes at random until the model was as sure of
// them as a test needs. They show nothing at all.

const SIDE = 6;

/** A digit (0 to f) for red, green and blue of each tile, row by row. */
export const MOSAICS = {
  harmless:
    "9427c8db1aa75067a5b01e94ea11f0bec8dbc52764c2d837962d95b96930984a70c3ce91e30b4a33094be6c8942dd0aa9637d7c0b62a",
  flagged:
    "9477c8db5527afd165b01e94ea11106ecbdbc52b64c8d831962195b96930984470c8ce91e30b3a32094be6c89427d0aa9335d7c0b607",
  blocked:
    "1477cadb5528abd162b0ce94ea31406ec6dbc62b64c823319621004269f09844b1c8d491e50bdb32094be6c49427d6ce9635d7000601",
} as const;

const coloursOf = (digits: string): number[] =>
  Array.from(digits, (digit) => Number.parseInt(digit, 16) * 17);

export function mosaicPng(digits: string): Promise<Uint8Array<ArrayBuffer>> {
  const colours = coloursOf(digits);
  const rows = Array.from({ length: SIDE }, (_, y) =>
    colours.slice(y * SIDE * 3, (y + 1) * SIDE * 3),
  );
  return makePng({ width: SIDE, height: SIDE, depth: 8, colour: 2 }, rows);
}

/** The brightness of each tile of a grey mosaic, which the model takes for the worst. */
const GREY = "650d7a3711db08601aec60910e155518ddd2";

/** The grey mosaic as it is. */
export function greyMosaicPng(): Promise<Uint8Array<ArrayBuffer>> {
  return makePng({ width: SIDE, height: SIDE, depth: 8, colour: 0 }, rowsOf(coloursOf(GREY)));
}

/**
 * The grey mosaic as nothing but transparency: it is seen on a page of that colour, and on the other
 * one the picture is blank.
 */
export function hiddenPng(page: "black" | "white"): Promise<Uint8Array<ArrayBuffer>> {
  const level = page === "black" ? 255 : 0;
  const pixels = coloursOf(GREY).map((brightness) => [
    level,
    level,
    level,
    page === "black" ? brightness : 255 - brightness,
  ]);
  const header = { width: SIDE, height: SIDE, depth: 8, colour: 6 };
  return makePng(
    header,
    rowsOf(pixels).map((row) => row.flat()),
  );
}

const rowsOf = <T>(tiles: readonly T[]): T[][] =>
  Array.from({ length: SIDE }, (_, y) => tiles.slice(y * SIDE, (y + 1) * SIDE));
