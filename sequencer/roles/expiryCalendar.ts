/** When options expire: at 08:00 UTC, as on the large venues. */

export const SECONDS_PER_DAY = 86_400;
const EXPIRY_SECONDS = 8 * 3600;
const DAYS_PER_WEEK = 7;
/** 1970-01-02 was a Friday. */
const FIRST_FRIDAY = 1;

export interface ExpiryCounts {
  readonly dailies: number;
  readonly weeklies: number;
  readonly monthlies: number;
  /** Nothing that expires sooner than this counts (seconds). */
  readonly minimumSeconds: number;
}

/** Ascending, in unix seconds; a day that is due by several rules stands there once. */
export function wantedExpiries(counts: ExpiryCounts, seconds: number): number[] {
  const earliest = seconds + counts.minimumSeconds;
  const firstDay = Math.ceil((earliest - EXPIRY_SECONDS) / SECONDS_PER_DAY);
  const days = new Set<number>();
  for (let count = 0; count < counts.dailies; count++) days.add(firstDay + count);
  const friday =
    firstDay + ((((FIRST_FRIDAY - firstDay) % DAYS_PER_WEEK) + DAYS_PER_WEEK) % DAYS_PER_WEEK);
  for (let count = 0; count < counts.weeklies; count++) days.add(friday + count * DAYS_PER_WEEK);
  for (let day = friday, count = 0; count < counts.monthlies; day += DAYS_PER_WEEK) {
    if (!isLastOfMonth(day)) continue;
    days.add(day);
    count += 1;
  }
  return [...days]
    .sort((one, other) => one - other)
    .map((day) => day * SECONDS_PER_DAY + EXPIRY_SECONDS);
}

/** Whether the same weekday comes again in the month of this day (days since 1970). */
function isLastOfMonth(day: number): boolean {
  const monthOf = (each: number): number => new Date(each * SECONDS_PER_DAY * 1000).getUTCMonth();
  return monthOf(day) !== monthOf(day + DAYS_PER_WEEK);
}
