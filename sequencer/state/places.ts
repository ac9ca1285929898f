/** Places of lists. By hand: splice makes an array of what it removes. */

/** The number of a side among those of all books. */
export function sideOf(book: number, isSell: boolean): number {
  return 2 * book + (isSell ? 1 : 0);
}

/** What stands in `place` and behind it moves back by one. */
export function insertAt<T>(list: T[], place: number, thing: T): void {
  list.push(thing);
  const last = list.length - 1;
  if (place >= last) return;
  for (let at = last; at > place; at--) list[at] = list[at - 1]!;
  list[place] = thing;
}

/** What stands behind `place` moves up by one. */
export function removeAt<T>(list: T[], place: number): void {
  if (place === 0) {
    list.shift();
    return;
  }
  const last = list.length - 1;
  for (let at = place; at < last; at++) list[at] = list[at + 1]!;
  list.pop();
}
