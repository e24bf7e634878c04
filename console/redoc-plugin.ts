import type { Plugin } from "vite";

/** The one thing that the viewer would ask of another server: a logo, which hides where it is not. */
const LOGO = '"https://cdn.redoc.ly/redoc/logo-mini.svg"';

const NAME = "virtual:redoc";
const BUNDLE = "redoc/bundles/redoc.standalone.js";

/**
 * `import url from "virtual:redoc"`: the address of Redoc's own bundle, which no bundler can take
 * apart, as a file of ours and without its logo.
 */
export function redocPlugin(): Plugin {
  return {
    name: "neurogate-redoc",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    async load(id) {
      if (id !== `\0${NAME}`) return null;
      const found = await this.resolve(BUNDLE);
      if (found === null) throw new Error(`${BUNDLE} is not installed`);
      const source = await this.fs.readFile(found.id, { encoding: "utf8" });
      if (!source.includes(LOGO)) throw new Error(`${BUNDLE} has another logo, or none any more`);
      const file = this.emitFile({
        type: "asset",
        name: "redoc.js",
        source: source.replace(LOGO, '"data:,"'),
      });
      return `export default import.meta.ROLLUP_FILE_URL_${file};`;
    },
  };
}
