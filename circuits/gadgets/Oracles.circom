pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/poseidon.circom";
include "HashVector.circom";
include "Range.circom";
include "Select.circom";
include "Signature.circom";

// A snapshot that a quorum of oracles signed.
//
// Proves:
//   1. oracleSet = hashVector(keys).
//   2. `quorum` different oracles of the set signed Poseidon(domain, snapshotTime, matrix).
//   3. 0 <= time - snapshotTime < 2^17.
// Assumes: layer one knows oracleSet; the keys in it are valid curve points.
// Twin: sequencer/protocol/snapshot.ts (isQuorumSigned)
template OracleQuorum(oracles, quorum) {
    signal input domain;
    signal input time;
    signal input snapshotTime;
    signal input matrix;
    signal input keys[oracles][2];
    signal input signer[quorum];
    signal input r8[quorum][2];
    signal input s[quorum];
    signal output oracleSet;

    component set = HashVector(2 * oracles);
    for (var i = 0; i < oracles; i++) {
        set.in[2 * i] <== keys[i][0];
        set.in[2 * i + 1] <== keys[i][1];
    }
    oracleSet <== set.out;
    InRange(SNAPSHOT_AGE_MS_BITS())(time - snapshotTime);

    signal message <== Poseidon(3)([domain, snapshotTime, matrix]);
    component chosen[quorum];
    component x[quorum];
    component y[quorum];
    for (var i = 0; i < quorum; i++) {
        chosen[i] = SelectByIndex(oracles);
        chosen[i].index <== signer[i];
        chosen[i].enabled <== 1;
        if (i > 0) {
            InRange(8)(signer[i] - signer[i - 1] - 1);
        }
        x[i] = Dot(oracles);
        y[i] = Dot(oracles);
        for (var j = 0; j < oracles; j++) {
            x[i].a[j] <== chosen[i].out[j];
            x[i].b[j] <== keys[j][0];
            y[i].a[j] <== chosen[i].out[j];
            y[i].b[j] <== keys[j][1];
        }
        Signature()(1, [x[i].out, y[i].out], r8[i], s[i], message);
    }
}
