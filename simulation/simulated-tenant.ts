/** The day that begins in the midst of a history begins a month too. */
export const START_MS = Date.UTC(2026, 10, 30, 23, 58);

/** What a picture's labels are held and charged at: the simulation's contents are pictures. */
export const ONE_PICTURE = 228_055;

export const PLATFORM = {
  workersPlan: "free",
  prices: {},
  publicTargetsOnly: true,
  inference: "embedded",
  storageLimit: Number.MAX_SAFE_INTEGER,
} as const;
