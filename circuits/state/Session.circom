pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/poseidon.circom";
include "../gadgets/Range.circom";

// The session leaf of an account, opened.
//
// Proves:
//   1. leaf = Poseidon(key hashes, watermark + 2^40 lockedSince).
//   2. watermark < 2^40 and lockedSince < 2^32, so that the leaf determines both.
// Assumes: nothing.
// Twin: sequencer/protocol/state.ts (sessionLeaf)
template SessionOpened() {
    signal input keyHashes[KEYS_PER_ACCOUNT()];
    signal input watermark;
    signal input lockedSince;
    signal output leaf;
    InRange(SESSION_META_WATERMARK_BITS())(watermark);
    InRange(SESSION_META_LOCKED_SINCE_BITS())(lockedSince);
    leaf <== SessionLeaf()(keyHashes, watermark, lockedSince);
}

// The leaf of a session after a batch.
//
// Proves: leaf as above.
// Assumes: both numbers within their widths: seqs and times that have come to pass.
template SessionLeaf() {
    var K = KEYS_PER_ACCOUNT();
    signal input keyHashes[K];
    signal input watermark;
    signal input lockedSince;
    signal output leaf;
    component hash = Poseidon(K + 1);
    for (var k = 0; k < K; k++) {
        hash.inputs[k] <== keyHashes[k];
    }
    hash.inputs[K] <== watermark * (1 << SESSION_META_WATERMARK_OFFSET())
        + lockedSince * (1 << SESSION_META_LOCKED_SINCE_OFFSET());
    leaf <== hash.out;
}
