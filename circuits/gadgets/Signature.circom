pragma circom 2.2.0;

include "circomlib/circuits/babyjub.circom";
include "circomlib/circuits/poseidon.circom";
include "Curve.circom";
include "FixedBase.circom";
include "Multiple.circom";
include "TimesCofactor.circom";

// An EdDSA-Poseidon signature on Baby Jubjub.
//
// Proves (where enabled):
//   1. key is a point of the curve, not one of the eight of small order.
//   2. 0 <= s < l.
//   3. s B = r8 + Poseidon(r8, key, message) 8 key, as sequencer/protocol/eddsa.ts has it. r8 is
//      so a point of the curve.
// Assumes: enabled is 0 or 1. Where it is 0, any inputs are taken: a fixed key and s = 0 stand
//   for them.
// Twin: sequencer/protocol/eddsa.ts (verify)
//
// A key with a part of small order is taken, as it is outside: eight times it has none. The three
// multiples are added in Edwards form, whose sum has no exceptions.
template Signature() {
    signal input enabled;
    signal input key[2];
    signal input r8[2];
    signal input s;
    signal input message;

    signal challenge <== Poseidon(5)([r8[0], r8[1], key[0], key[1], message]);
    component ofKey = TimesCofactor();
    ofKey.in[0] <== BASE_X() + enabled * (key[0] - BASE_X());
    ofKey.in[1] <== BASE_Y() + enabled * (key[1] - BASE_Y());
    component right = Multiple(250, SUBGROUP_ORDER());
    right.scalar <== challenge;
    right.point <== ofKey.out;
    component left = FixedBase(250, SUBGROUP_ORDER());
    left.scalar <== enabled * s;

    component difference = BabyAdd();
    difference.x1 <== left.out[0];
    difference.y1 <== left.out[1];
    difference.x2 <== -right.out[0];
    difference.y2 <== right.out[1];
    enabled * (difference.xout - r8[0]) === 0;
    enabled * (difference.yout - r8[1]) === 0;
}
