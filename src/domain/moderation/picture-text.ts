import { SENTIMENT_WINDOWS, type Windowing } from "./text-window.ts";

// The writing in a picture is an input of its own. The checks for texts apply to it, under the name of its
// picture.

export type PictureName = `images/${number}`;
export type PictureTextName = `images/${number}/text`;

const TEXT = "/text";

export const pictureTextOf = (picture: PictureName): PictureTextName => `${picture}${TEXT}`;

export const isPicture = (input: string): input is PictureName => /^images\/\d+$/.test(input);

export const isPictureText = (input: string): input is PictureTextName => input.endsWith(TEXT);

/**
 * The most tokens of one picture's writing that the hold covers for a judge: 400 characters of any script, or
 * about 1,200 letters of English. The rest is not read.
 */
export const PICTURE_TEXT_WINDOWS: Windowing = { tokens: 1_280, overlap: 0, windows: 1 };

/** The same for the classifier. */
export const PICTURE_SENTIMENT_WINDOWS: Windowing = { ...SENTIMENT_WINDOWS, windows: 3 };
