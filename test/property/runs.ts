// How much the property tests try: FC_NUM_RUNS sets the number of runs of each, otherwise each
// has its own default, ten times as much in the long suite. fast-check prints seed and path.
export function runs(fallback: number): { numRuns: number } {
  const { FC_NUM_RUNS, STRADDLE_TEST_LONG } = process.env;
  const numRuns = FC_NUM_RUNS ? Number(FC_NUM_RUNS) : fallback * (STRADDLE_TEST_LONG ? 10 : 1);
  return { numRuns };
}
