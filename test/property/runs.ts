// How much the property tests try: FC_NUM_RUNS sets the number of runs of each, otherwise each
// has its own default, in the long suite ten times as much unless it says how much. fast-check
// prints seed and path where one fails.
export function runs(fallback: number, long = 10 * fallback): { numRuns: number } {
  const { FC_NUM_RUNS, STRADDLE_TEST_LONG } = process.env;
  const numRuns = FC_NUM_RUNS ? Number(FC_NUM_RUNS) : STRADDLE_TEST_LONG ? long : fallback;
  return { numRuns };
}
