// Installs the packages of this folder once: `node picture-model/installed.mjs && …`.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

if (!existsSync(new URL("node_modules/.package-lock.json", import.meta.url))) {
  console.log("Installing the packages that make and check the picture model (240 MB) …");
  execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: FOLDER,
    stdio: "inherit",
  });
}
