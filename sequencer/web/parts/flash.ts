/**
 * An element that is lit for a moment. Not by an animation of the style sheet: each of those has
 * the browser style its element anew in every frame for as long as it runs, and a market has
 * hundreds at a time.
 */

/** How long, and how often what is over is looked for, in ms. */
const LIT_MS = 350;
const SWEEP_MS = 100;

export type Way = "rise" | "fall";

/** Until when (ms) each is lit, the earliest first. */
const lit = new Map<Element, number>();
let isSweeping = false;

/** Again while it is lit: for longer. */
export function flash(element: Element, way: Way): void {
  element.classList.remove("rise", "fall");
  element.classList.add(way);
  lit.delete(element);
  lit.set(element, performance.now() + LIT_MS);
  if (!isSweeping) setTimeout(sweep, LIT_MS);
  isSweeping = true;
}

/** Many at once, for one styling of the page. */
function sweep(): void {
  const now = performance.now();
  for (const [element, until] of lit) {
    if (until > now) break;
    element.classList.remove("rise", "fall");
    lit.delete(element);
  }
  isSweeping = lit.size > 0;
  if (isSweeping) setTimeout(sweep, SWEEP_MS);
}
