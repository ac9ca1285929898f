/** What stands where there is nothing to show: it loads, it is empty, or it needs something. */
import type { ReactNode } from "react";

export function Loading({ what }: { readonly what: string }) {
  return (
    <output className="state">
      <span className="pulse" aria-hidden="true" />
      <span>Loading {what}…</span>
    </output>
  );
}

export function Empty({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="state">
      <strong>{title}</strong>
      {children === undefined ? null : <span>{children}</span>}
    </div>
  );
}
