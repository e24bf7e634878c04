// These tests run in Node, and the runtime's types do not know it.
declare const process: { threadCpuUsage(): { readonly user: number; readonly system: number } };

/**
 * The CPU time that something takes, for texts that are made to take for ever: what takes the square
 * of its length shows, however busy the machine is with other things.
 */
export async function cpuMsOf(work: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  await work();
  const after = process.threadCpuUsage();
  return (after.user + after.system - before.user - before.system) / 1000;
}
