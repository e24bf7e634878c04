import { Icon } from "./icon.tsx";
import type { Live } from "./use-live.ts";

const WORDS: Readonly<Record<Live<unknown>["state"], string>> = {
  connecting: "connecting",
  live: "live",
  waiting: "reconnecting",
  refused: "not live",
};

export const LiveDot = ({ state }: { readonly state: Live<unknown>["state"] }) => (
  <span class={state === "live" ? "live-dot on" : "live-dot"}>
    <Icon name="live" />
    {WORDS[state]}
  </span>
);
