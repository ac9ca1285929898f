pragma circom 2.2.0;

include "HashVector.circom";

// Binds a vector of public words to three public inputs.
//
// Proves:
//   1. commitment = hashVector(words).
//   2. evaluation = sum of words[i] * gamma^(i + 1).
// Assumes: the verifier draws gamma from commitment and words after both are fixed (Rollup does).
// Twin: sequencer/batch/publicInputs.ts; contracts/libraries/PublicData.sol
template PublicData(n) {
    signal input words[n];
    signal input commitment;
    signal input gamma;
    signal input evaluation;

    component hash = HashVector(n);
    hash.in <== words;
    hash.out === commitment;

    signal partial[n];
    for (var i = 0; i < n; i++) {
        var above = i == 0 ? 0 : partial[i - 1];
        partial[i] <== (above + words[n - 1 - i]) * gamma;
    }
    partial[n - 1] === evaluation;
}
