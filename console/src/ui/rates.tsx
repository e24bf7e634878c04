import type { Rate } from "../api/shapes.ts";
import { count, words } from "../format.ts";

/** The classes of moderation and chat, and every other class in use; the others are all zero. */
const isShown = ({ name, limit, remaining }: Rate): boolean =>
  limit !== remaining ||
  /^(?:requests|text_generation|text_classification|image_classification)$/.test(name);

/** The use of each rate in the last minute. */
export const Rates = ({ rates }: { readonly rates: readonly Rate[] }) => (
  <div class="rates">
    {rates.filter(isShown).map((rate) => {
      const used = rate.limit - rate.remaining;
      const share = rate.limit === 0 ? 0 : used / rate.limit;
      return (
        <div key={rate.name} class="bar-row">
          <span>{words(rate.name)}</span>
          <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
            <rect class="track" width="100" height="6" />
            <rect class={share > 0.9 ? "fill bad" : "fill"} width={share * 100} height="6" />
          </svg>
          <span class="end">
            {count(used)} / {count(rate.limit)}
          </span>
        </div>
      );
    })}
  </div>
);
