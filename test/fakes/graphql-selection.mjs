// As much of GraphQL's grammar as a query of the Analytics API needs: one operation, fields with
// arguments (variables, numbers, strings, objects) and selections.

const TOKEN = /[A-Za-z_]\w*|\$[A-Za-z_]\w*|\d+|"[^"]*"|[(){}:!]/y;
const IGNORED = /[\s,]*/y;

function tokensOf(/** @type {string} */ text) {
  const tokens = [];
  for (let at = 0; ;) {
    IGNORED.lastIndex = at;
    at += IGNORED.exec(text)?.[0].length ?? 0;
    if (at === text.length) return tokens;
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) throw new Error(`not GraphQL: ${text.slice(at, at + 20)}`);
    tokens.push(token);
    at += token.length;
  }
}

/**
 * @returns {{ selection: any, args: Record<string, any> }} the fields that are asked for, nested, and
 *   the arguments of each field by its name
 */
export function readSelection(/** @type {string} */ query, variables) {
  const tokens = tokensOf(query);
  const args = {};
  let at = 0;
  const take = (/** @type {string} */ wanted) => {
    if (tokens[at] !== wanted) throw new Error(`${wanted} is missing before ${tokens[at]}`);
    at += 1;
  };
  const value = () => {
    const token = tokens[at];
    at += 1;
    if (token === "{") return object("}");
    if (token.startsWith("$")) {
      if (!Object.hasOwn(variables, token.slice(1))) throw new Error(`${token} is not given`);
      return variables[token.slice(1)];
    }
    return token.startsWith('"') ? token.slice(1, -1) : Number(token);
  };
  const object = (/** @type {string} */ end) => {
    const entries = {};
    while (tokens[at] !== end) {
      const name = tokens[at];
      at += 1;
      take(":");
      entries[name] = value();
    }
    take(end);
    return entries;
  };
  const fields = () => {
    const selected = {};
    take("{");
    while (tokens[at] !== "}") {
      const name = tokens[at];
      at += 1;
      if (tokens[at] === "(") {
        at += 1;
        args[name] = object(")");
      }
      selected[name] = tokens[at] === "{" ? fields() : {};
    }
    take("}");
    return selected;
  };
  take("query");
  // The operation's name and the types of its variables.
  at = tokens.indexOf("{");
  const selection = fields();
  if (at !== tokens.length) throw new Error("there is more than one operation");
  return { selection, args };
}
