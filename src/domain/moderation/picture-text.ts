import { SENTIMENT_WINDOWS, type Windowing } from "./text-window.ts";

// Writing in a picture is an input of its own: what is asked of texts is asked of it, under the name
// of its picture.

export type PictureName = `images/${number}`;
export type PictureTextName = `images/${number}/text`;

const TEXT = "/text";

export const pictureTextOf = (picture: PictureName): PictureTextName => `${picture}${TEXT}`;

export const isPicture = (input: string): input is PictureName => /^images\/\d+$/.test(input);

export const isPictureText = (input: string): input is PictureTextName => input.endsWith(TEXT);

/**
 * What is held for a judge to read of one picture's writing, in tokens at most: 400 characters of any
 * script, or some 1,200 letters of English. What goes on beyond it was not read.
 */
export const PICTURE_TEXT_WINDOWS: Windowing = { tokens: 1_280, overlap: 0, windows: 1 };

/** The same writing for the classifier. */
export const PICTURE_SENTIMENT_WINDOWS: Windowing = { ...SENTIMENT_WINDOWS, windows: 3 };
