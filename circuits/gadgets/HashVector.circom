pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";

// Elements of a vector of n that the last Poseidon of its hash takes, besides the hash so far.
function LastBlock(n) {
    return n <= 16 ? n : (n - 17) % 15 + 1;
}

// Hash of a vector of fixed length.
//
// Proves:
//   1. out = Poseidon(in) for n <= 16, else the chain acc = Poseidon16(acc, next 15), whose last
//      block is only as wide as what is left.
// Assumes: nothing.
// Twin: sequencer/protocol/hash.ts (hashVector)
template HashVector(n) {
    signal input in[n];
    signal output out;

    var rest = n <= 16 ? 0 : n - 16;
    var blocks = 1 + (rest + 14) \ 15;
    component hash[blocks];
    for (var block = 0; block < blocks; block++) {
        var start = block == 0 ? 0 : 16 + 15 * (block - 1);
        var room = block == 0 ? 16 : 15;
        var width = n - start < room ? n - start : room;
        var shift = block == 0 ? 0 : 1;
        hash[block] = Poseidon(width + shift);
        if (block > 0) {
            hash[block].inputs[0] <== hash[block - 1].out;
        }
        for (var i = 0; i < width; i++) {
            hash[block].inputs[i + shift] <== in[start + i];
        }
    }
    out <== hash[blocks - 1].out;
}
