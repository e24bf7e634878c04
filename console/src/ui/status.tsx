import type { ComponentChildren } from "preact";
import { RequestFailed } from "../api/problem.ts";
import { words } from "../format.ts";
import { Button } from "./button.tsx";
import { Icon, type IconName } from "./icon.tsx";

export type Tone = "neutral" | "good" | "warn" | "bad" | "info";

export const Badge = ({
  tone,
  children,
}: {
  readonly tone: Tone;
  readonly children: ComponentChildren;
}) => <span class={`badge ${tone}`}>{children}</span>;

const TONES: Readonly<Record<string, Tone>> = {
  allow: "good",
  flag: "warn",
  block: "bad",
  evaluated: "good",
  not_required: "neutral",
  calibrated: "good",
  not_evaluated: "warn",
  timed_out: "bad",
  failed: "bad",
  posted: "good",
  voided: "neutral",
  expired: "warn",
  delivered: "good",
  pending: "info",
  open: "warn",
  claimed: "info",
  done: "good",
  running: "info",
  waiting: "warn",
  completed: "good",
  succeeded: "good",
  stopped: "bad",
  canceling: "warn",
  processing: "info",
  ready: "good",
  partial: "warn",
  free: "neutral",
  paid: "info",
};

/** A word of the API as a badge: a decision, an outcome or a state. */
export const TagBadge = ({ tag }: { readonly tag: string }) => (
  <Badge tone={TONES[tag] ?? "neutral"}>{words(tag)}</Badge>
);

interface ErrorNoteProps {
  readonly error: Error;
  readonly onRetry?: (() => void) | undefined;
  readonly what?: string;
}

/** An error: what failed, why, what to do, and the request's id. */
export function ErrorNote({ error, onRetry, what }: ErrorNoteProps) {
  const problem = error instanceof RequestFailed ? error.problem : null;
  return (
    <div class="note bad" role="alert">
      <Icon name="warning" />
      <div>
        <p>
          <strong>{what ?? problem?.title ?? "Something went wrong"}.</strong>{" "}
          {problem?.detail ?? error.message}
        </p>
        {problem?.errors !== undefined && problem.errors.length > 0 && (
          <ul>
            {problem.errors.map(({ pointer, detail }) => (
              <li key={pointer}>
                <code>{pointer}</code> {detail}
              </li>
            ))}
          </ul>
        )}
        {problem?.request_id != null && (
          <p class="hint">
            Request <code>{problem.request_id}</code>
          </p>
        )}
        {onRetry !== undefined && (
          <Button icon="replay" small onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

export const Warning = ({ children }: { readonly children: ComponentChildren }) => (
  <div class="note warn">
    <Icon name="warning" />
    <div>{children}</div>
  </div>
);

interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** An empty list, with a hint how to fill it. */
export const Empty = ({ icon, title, children }: EmptyProps) => (
  <div class="empty">
    <Icon name={icon} />
    <p class="empty-title">{title}</p>
    {children}
  </div>
);

interface LoadStateProps {
  readonly data: unknown;
  readonly error: Error | null;
  readonly onRetry: () => void;
  readonly lines?: number;
}

/** The error of a load, which may have older data below it, or a placeholder for its first data. */
export const LoadState = ({ data, error, onRetry, lines = 3 }: LoadStateProps) => {
  if (error !== null) return <ErrorNote error={error} onRetry={onRetry} />;
  return data === null ? <Skeleton lines={lines} /> : null;
};

/** The cell of a value that is not there. */
export const none = <span class="soft">–</span>;

/** A placeholder while content loads, so that nothing moves when it arrives. */
export const Skeleton = ({ lines = 3 }: { readonly lines?: number }) => (
  <div class="skeleton" role="status" aria-label="Loading">
    {Array.from({ length: lines }, (_, line) => (
      <span key={line} />
    ))}
  </div>
);
