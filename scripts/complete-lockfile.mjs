// Completes every package-lock.json with the optional packages of other platforms.
//
// If a registry lacks those packages, `npm install` writes a lock without them. Then `npm ci` refuses the
// lock, and a Mac or Windows machine does not get its own binaries. Run `npm run lock` after every
// `npm install`.
import { readFileSync, writeFileSync } from "node:fs";

/** The project's own lockfile, and those of folders that are installed only when they are used. */
const FILES = [
  "package-lock.json",
  "bench/package-lock.json",
  "clients/drop-in/package-lock.json",
  "clients/package-lock.json",
  "test/e2e/package-lock.json",
];
const OS = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
];
const CPU = [
  "arm",
  "arm64",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "x64",
  "wasm32",
];
const CPU_ALIASES = {
  64: "x64",
  armv7: "arm",
  loongarch64: "loong64",
  ppc64le: "ppc64",
  aarch64: "arm64",
};
const OS_ALIASES = { windows: "win32", wasi: null };

/** @param {string} name a package name such as `@esbuild/linux-arm64` */
function platformOf(name) {
  const words = name.replace(/^@[^/]+\//, "").split(/[-_]/);
  const os = words.map((word) => OS_ALIASES[word] ?? word).filter((word) => OS.includes(word));
  const cpu = words.map((word) => CPU_ALIASES[word] ?? word).filter((word) => CPU.includes(word));
  return { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }) };
}

for (const path of FILES) {
  const file = new URL(`../${path}`, import.meta.url);
  const lock = JSON.parse(readFileSync(file, "utf8"));
  let added = 0;
  for (const entry of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (lock.packages[`node_modules/${name}`] !== undefined) continue;
      lock.packages[`node_modules/${name}`] = { version, optional: true, ...platformOf(name) };
      added += 1;
    }
  }
  for (const entry of Object.values(lock.packages)) delete entry.resolved;
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
  );
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${path}: ${added} optional packages of other platforms added.`);
}
