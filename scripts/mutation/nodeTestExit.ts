/** How `runNodeTests.ts` ends. */
export const EXIT = { passed: 0, failed: 1, nothing: 2 } as const;
