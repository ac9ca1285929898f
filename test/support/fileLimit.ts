/**
 * Loaded before each file of tests. One that something keeps open (a server whose test ended before
 * it had said what to stop) would hold the whole run up without a word: Node's limits are for
 * tests, and these have ended. It ends here, and names what is open.
 */
const MINUTES_MAX = Number(process.env.STRADDLE_TEST_FILE_MINUTES ?? 20);

// The runner itself loads this too.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(", ");
    process.stderr.write(
      `${process.argv[1]} has not ended in ${MINUTES_MAX} minutes; open: ${open}\n`,
    );
    process.exit(1);
  }, MINUTES_MAX * 60_000).unref();
}
