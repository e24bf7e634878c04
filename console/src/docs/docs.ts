import viewer from "virtual:redoc";

// The API's document in Redoc, which is a file of this server like every other.

/** What its script leaves on the page: https://redocly.com/docs/redoc/v2.x/config */
interface Redoc {
  init(
    url: string,
    options: Readonly<Record<string, unknown>>,
    element: HTMLElement,
    done: (error?: Error | null) => void,
  ): void;
}

const OPTIONS = {
  // The fonts of the machine: nothing is loaded from elsewhere.
  theme: {
    typography: {
      fontFamily: "system-ui, sans-serif",
      headings: { fontFamily: "system-ui, sans-serif" },
      code: { fontFamily: "ui-monospace, monospace" },
    },
  },
  nativeScrollbars: true,
  sortRequiredPropsFirst: true,
  sanitize: true,
};

const UNREADABLE = "The document could not be shown. It is at /openapi.json; reload to try again.";

/** An empty status is not shown. */
function say(text: string): void {
  const status = document.querySelector('[role="status"]');
  if (status !== null) status.textContent = text;
}

function load(url: string): Promise<void> {
  const script = document.createElement("script");
  script.src = url;
  return new Promise((loaded, failed) => {
    script.addEventListener("load", () => loaded());
    script.addEventListener("error", () => failed(new Error("the viewer is not there")));
    document.head.append(script);
  });
}

async function show(element: HTMLElement): Promise<void> {
  await load(viewer);
  const { Redoc } = window as unknown as { readonly Redoc: Redoc };
  Redoc.init("/openapi.json", OPTIONS, element, (error) => {
    say(error === null || error === undefined ? "" : UNREADABLE);
  });
}

const element = document.getElementById("docs");
if (element === null) throw new Error("the page has no element #docs");
show(element).catch(() => say("The viewer could not be loaded. The document is at /openapi.json."));
