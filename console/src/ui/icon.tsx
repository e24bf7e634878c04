// Line icons on a grid of 20, drawn in the colour of the text around them. All are decoration: the text
// beside an icon, or an accessible name, says the same.

const PATHS = {
  overview: "M3 11a7 7 0 0 1 14 0M10 11l3-4M3.5 15h13",
  tenants: "M3 7h14M3 7l1-3h12l1 3M4 7v9h12V7M8 16v-5h4v5",
  try: "M4 4h12v9H9l-4 3v-3H4zM7.5 7.5h5M7.5 10h3",
  money: "M4 4h12v13l-2-1.5L12 17l-2-1.5L8 17l-2-1.5L4 17zM7 8h6M7 11h6",
  bell: "M5 14h10l-1.2-2V9a3.8 3.8 0 0 0-7.6 0v3zM8.5 16.5h3",
  audit: "M5 3h7l3 3v11H5zM12 3v3h3M7.5 10h5M7.5 13h5",
  sun: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4",
  moon: "M16 11.5A6.5 6.5 0 0 1 8.5 4a6.5 6.5 0 1 0 7.5 7.5",
  system: "M3 4h14v9H3zM7 16h6M10 13v3",
  out: "M8 4H4v12h4M9 10h8M14 7l3 3-3 3",
  close: "M5 5l10 10M15 5L5 15",
  check: "M4 10.5l4 4 8-9",
  warning: "M10 3.5 17.5 16h-15zM10 8v4M10 13.8v.4",
  copy: "M7 7h9v9H7zM4 13V4h9",
  plus: "M10 4v12M4 10h12",
  right: "M8 5l5 5-5 5",
  up: "M5 12l5-5 5 5",
  down: "M5 8l5 5 5-5",
  replay: "M4 10a6 6 0 1 0 2-4.5M6 2.5v3.5h3.5",
  search: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4M13 13l4 4",
  key: "M12.5 4a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7M10 10l-6 6M6 14l2 2",
  live: "M10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4M5.8 14.2a6 6 0 0 1 0-8.4M14.2 5.8a6 6 0 0 1 0 8.4",
  print: "M6 8V3h8v5M6 14H4V8h12v6h-2M6 12h8v5H6z",
  user: "M10 4a3 3 0 1 0 0 6 3 3 0 0 0 0-6M4.5 17a5.5 5.5 0 0 1 11 0",
  scale: "M10 3v14M5 17h10M4 6h12M4 6l-2 5h4zM16 6l-2 5h4z",
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
    <path d={PATHS[name]} />
  </svg>
);
