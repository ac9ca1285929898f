/** A number that shows for a moment that it has changed. */
import { memo, useLayoutEffect, useRef } from "react";
import { NONE, number } from "../math/format.ts";
import { flash } from "./flash.ts";

export const Quote = memo(function Quote({
  value,
  digits,
}: {
  readonly value: number | null | undefined;
  readonly digits: number;
}) {
  const text = useRef<HTMLSpanElement>(null);
  const before = useRef<number>(undefined);
  useLayoutEffect(() => {
    const last = before.current;
    before.current = value ?? last;
    if (text.current === null || value == null || last === undefined || last === value) return;
    flash(text.current, value > last ? "rise" : "fall");
  }, [value]);
  if (value === null || value === undefined) return <span className="none">{NONE}</span>;
  // Its class is the flash's; the same element, or the row is laid out for another one.
  return (
    <span key="value" ref={text}>
      {number(value, digits)}
    </span>
  );
});
