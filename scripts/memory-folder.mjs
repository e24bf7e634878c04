import { statfsSync } from "node:fs";

/** More than the files of all servers and objects of a test run. */
const ENOUGH_BYTES = 2 ** 31;

const MEMORY = "/dev/shm";

/**
 * Temporary files lie in memory from here on, where the system has a folder for that (Linux, with
 * room: a container may have little). Tests commit thousands of times, and each commit waits for the
 * disk; in memory a file of tests takes half as long. What `TMPDIR` names already holds.
 */
export function keepFilesInMemory() {
  if (process.env.TMPDIR === undefined && hasRoom()) process.env.TMPDIR = MEMORY;
}

function hasRoom() {
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}
