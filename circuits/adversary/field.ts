/** Arithmetic modulo the prime of a circuit. Numbers are in 0..prime-1 unless it says otherwise. */

/** Any integer as a field element. */
export function reduce(value: bigint, prime: bigint): bigint {
  const rest = value % prime;
  return rest < 0n ? rest + prime : rest;
}

/** 1/value, and 0 for 0, as circom has it. */
export function inverse(value: bigint, prime: bigint): bigint {
  let [a, b, x, y] = [reduce(value, prime), prime, 1n, 0n];
  if (a === 0n || a === 1n) return a;
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return reduce(x, prime);
}
