import { useState } from "preact/hooks";
import { Icon, type IconName } from "./icon.tsx";
import { setTheme, type Theme, theme, THEMES } from "./theme.ts";

const ICONS: Readonly<Record<Theme, IconName>> = { system: "system", light: "sun", dark: "moon" };

export function ThemeSwitch() {
  const [chosen, setChosen] = useState(theme());
  const choose = (next: Theme) => {
    setTheme(next);
    setChosen(next);
  };
  return (
    <div class="segmented" role="group" aria-label="Colours">
      {THEMES.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === chosen}
          aria-label={`${one[0]?.toUpperCase()}${one.slice(1)} colours`}
          title={`${one[0]?.toUpperCase()}${one.slice(1)} colours`}
          onClick={() => choose(one)}
        >
          <Icon name={ICONS[one]} />
        </button>
      ))}
    </div>
  );
}
