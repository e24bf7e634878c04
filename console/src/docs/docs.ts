// Loads the viewer and shows a message when it cannot be loaded.

const UNREADABLE = "The document could not be shown. It is at /openapi.json; reload to try again.";
const UNLOADED = "The viewer could not be loaded. The document is at /openapi.json.";

/** An empty text hides the status. */
function say(text: string): void {
  const status = document.getElementById("status");
  if (status !== null) status.textContent = text;
}

const element = document.getElementById("docs");
if (element === null) throw new Error("the page has no element #docs");
import("./viewer.tsx").then(
  ({ show }) =>
    show(element).then(
      () => say(""),
      () => say(UNREADABLE),
    ),
  () => say(UNLOADED),
);
