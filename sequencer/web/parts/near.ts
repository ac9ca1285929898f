/** Whether an element is in sight or about to be: what is far away need not be rendered. */
import { type RefObject, useEffect, useState } from "react";

/** Farther than a turn of the wheel goes before the next frame. */
const MARGIN = "400px";

/**
 * `scrollMargin` counts in containers that scroll too; a browser that does not know it renders what
 * comes into sight a frame later.
 */
const OPTIONS: IntersectionObserverInit & { readonly scrollMargin: string } = {
  ...{ rootMargin: MARGIN, scrollMargin: MARGIN },
};

const seers = new WeakMap<Element, (isNear: boolean) => void>();
/** One for all: each observer measures by itself. */
let observer: IntersectionObserver | undefined;

function observe(element: Element, see: (isNear: boolean) => void): () => void {
  observer ??= new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) seers.get(target)?.(isIntersecting);
  }, OPTIONS);
  seers.set(element, see);
  observer.observe(element);
  return () => {
    seers.delete(element);
    observer?.unobserve(element);
  };
}

/** Always true unless `isWatched`. The element must keep its height, or it flickers. */
export function useNear(element: RefObject<Element | null>, isWatched: boolean): boolean {
  const [isNear, setNear] = useState(!isWatched);
  useEffect(() => {
    if (!isWatched || element.current === null) return;
    return observe(element.current, setNear);
  }, [element, isWatched]);
  return isNear || !isWatched;
}
