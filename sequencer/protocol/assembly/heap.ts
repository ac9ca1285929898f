/** Memory above the static data: taken once, never given back. */

const PAGE_SHIFT = 16;
let top: usize = __heap_base;

/** Memory for good. */
export function reserve(bytes: usize): usize {
  const start = scratch(bytes);
  top = start + bytes;
  return start;
}

/** Memory until the next `reserve` or `scratch`. */
export function scratch(bytes: usize): usize {
  const start = (top + 15) & ~15;
  const end = start + bytes;
  const pages = ((end + (1 << PAGE_SHIFT) - 1) >> PAGE_SHIFT) as i32;
  if (pages > memory.size() && memory.grow(pages - memory.size()) < 0) unreachable();
  return start;
}
