pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/poseidon.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../gadgets/Signature.circom";
include "../gadgets/Unpack.circom";

// A trading key that signs in a batch: found among the accounts' keys, its chain head moved on.
//
// Proves:
//   1. The key (x, y, headBefore, meta) is key `keyIndex` of the account that isAccount selects.
//   2. The key has not expired at `seconds`.
//   3. Its holder signed headAfter: one signature for all messages of the chain in this batch.
//   4. keyHashesAfter differs only in that key's head.
// Assumes: enabled is 0 or 1; a signer that is not enabled changes nothing and proves nothing;
//   isAccount is one-hot where enabled, else zero; seconds < 2^39.
// Twin: sequencer/protocol/eddsa.ts (verify), sequencer/protocol/state.ts (keyHash)
template Signer(accounts) {
    var keys = KEYS_PER_ACCOUNT();
    signal input enabled;
    signal input isAccount[accounts];
    signal input keyHashes[accounts][keys];
    signal input keyIndex;
    signal input key[2];
    signal input headBefore;
    signal input headAfter;
    signal input meta;
    signal input r8[2];
    signal input s;
    signal input seconds;
    signal output keyHashesAfter[accounts][keys];

    signal isKey[keys] <== SelectByIndex(keys)(keyIndex, enabled);
    signal hashBefore <== Poseidon(4)([key[0], key[1], headBefore, meta]);
    signal hashAfter <== Poseidon(4)([key[0], key[1], headAfter, meta]);

    component column[keys];
    signal chosen[keys];
    signal change[keys];
    var found = 0;
    for (var k = 0; k < keys; k++) {
        column[k] = Dot(accounts);
        for (var a = 0; a < accounts; a++) {
            column[k].a[a] <== isAccount[a];
            column[k].b[a] <== keyHashes[a][k];
        }
        chosen[k] <== isKey[k] * column[k].out;
        found += chosen[k];
        change[k] <== isKey[k] * (hashAfter - hashBefore);
        for (var a = 0; a < accounts; a++) {
            keyHashesAfter[a][k] <== keyHashes[a][k] + isAccount[a] * change[k];
        }
    }
    enabled * hashBefore === found;

    var widths[2];
    widths[0] = KEY_META_EXPIRY_BITS();
    widths[1] = KEY_META_VERSION_BITS();
    component fields = Unpack(2, widths);
    fields.word <== meta;
    signal secondsLeft <== enabled * (fields.fields[0] - seconds - 1);
    InRange(KEY_META_EXPIRY_BITS())(secondsLeft);

    Signature()(enabled, key, r8, s, headAfter);
}

// Proves: enabled signers come first and their (account, keyIndex) strictly increase, so that no
//   key's chain is split in two.
// Assumes: account < 2^20 and keyIndex < 4 where enabled (SelectById and SelectByIndex).
template SignersOrdered(signers) {
    signal input enabled[signers];
    signal input account[signers];
    signal input keyIndex[signers];
    signal gap[signers];
    for (var g = 0; g < signers; g++) {
        IsBoolean()(enabled[g]);
        if (g > 0) {
            enabled[g] * (1 - enabled[g - 1]) === 0;
            var here = account[g] * KEYS_PER_ACCOUNT() + keyIndex[g];
            var there = account[g - 1] * KEYS_PER_ACCOUNT() + keyIndex[g - 1];
            gap[g] <== enabled[g] * (here - there - 1);
            InRange(ACCOUNT_BITS() + 2)(gap[g]);
        } else {
            gap[g] <== 0;
        }
    }
}

// Proves: ids strictly increase, so that nothing is opened twice.
// Assumes: ids < 2^bits (their tree paths).
template StrictlyIncreasing(n, bits) {
    signal input ids[n];
    for (var i = 1; i < n; i++) {
        InRange(bits)(ids[i] - ids[i - 1] - 1);
    }
}
