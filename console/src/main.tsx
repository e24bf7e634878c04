import { render } from "preact";
import { restore } from "./api/session.ts";
import { App } from "./app.tsx";
import { restoreTheme } from "./ui/theme.ts";

restoreTheme();
restore();
const root = document.querySelector("#console");
if (root !== null) render(<App />, root);
