import { render } from "preact";
import { Health } from "./health.tsx";

const root = document.getElementById("console");
if (root === null) throw new Error("the page has no element #console");

render(
  <main>
    <h1>Neurogate</h1>
    <Health />
  </main>,
  root,
);
