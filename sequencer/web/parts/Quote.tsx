/** A number that shows for a moment that it has changed. */
import { memo, useRef } from "react";
import { NONE, number } from "../math/format.ts";

export const Quote = memo(function Quote({
  value,
  digits,
}: {
  readonly value: number | null | undefined;
  readonly digits: number;
}) {
  const before = useRef<{ value: number; way: string }>(undefined);
  if (value === null || value === undefined) return <span className="none">{NONE}</span>;
  const last = before.current;
  if (last === undefined) before.current = { value, way: "" };
  else if (last.value !== value) {
    before.current = { value, way: value > last.value ? "rise" : "fall" };
  }
  // Another key: the animation begins anew.
  return (
    <span key={value} className={before.current?.way}>
      {number(value, digits)}
    </span>
  );
});
