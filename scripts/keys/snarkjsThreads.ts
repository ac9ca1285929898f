/** snarkjs keeps a pool of threads that nothing ends, so that a process would never exit. */

/** Ends the threads snarkjs has started. It starts new ones when it is used again. */
export async function stopSnarkjs(): Promise<void> {
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } };
  await curve?.terminate();
}
