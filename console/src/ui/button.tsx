import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { announce } from "./announce.ts";
import { Icon, type IconName } from "./icon.tsx";

interface ButtonProps {
  readonly children?: ComponentChildren;
  readonly icon?: IconName;
  /** The accessible name of a button that shows only an icon. */
  readonly label?: string;
  readonly kind?: "primary" | "plain" | "danger" | "quiet";
  readonly type?: "button" | "submit";
  readonly disabled?: boolean;
  /** A request is in progress: the button cannot be pressed, and shows that. */
  readonly busy?: boolean;
  readonly small?: boolean;
  readonly pressed?: boolean;
  readonly onClick?: () => void;
}

export function Button({
  children,
  icon,
  label,
  kind = "plain",
  type = "button",
  ...rest
}: ButtonProps) {
  const { disabled = false, busy = false, small = false, pressed, onClick } = rest;
  const classes = `button ${kind}${small ? " small" : ""}${children === undefined ? " only-icon" : ""}`;
  return (
    <button
      type={type}
      class={classes}
      disabled={disabled || busy}
      aria-busy={busy}
      aria-label={label}
      title={label}
      {...(pressed !== undefined && { "aria-pressed": pressed })}
      {...(onClick !== undefined && { onClick })}
    >
      {busy ? (
        <span class="spinner" aria-hidden="true" />
      ) : (
        icon !== undefined && <Icon name={icon} />
      )}
      {children}
    </button>
  );
}

/** Copies a text. If the browser forbids that, it selects the text for the person to copy. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      announce(`${what} copied.`);
      setTimeout(() => setCopied(false), 2000);
    } catch {
      announce("This browser does not let a page copy: select the text and copy it.", "bad");
    }
  };
  return (
    <Button
      icon={copied ? "check" : "copy"}
      small
      label={`Copy ${what}`}
      onClick={() => void copy()}
    >
      {copied ? "Copied" : "Copy"}
    </Button>
  );
}
