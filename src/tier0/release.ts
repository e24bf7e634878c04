/**
 * The weights that this build reads, a file in models/. Verdicts name the version; a file with another hash
 * is refused.
 */
export const RELEASE = {
  version: 1,
  file: "tier0-1.bin",
  bytes: 1_341_440,
  sha256: "f31bb5c0c635742821858a75075a9de0d9ea96131f7d366f38a8474d2cedb21b",
} as const;
