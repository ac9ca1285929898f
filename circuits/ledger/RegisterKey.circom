pragma circom 2.2.0;

include "../generated/Constants.circom";
include "circomlib/circuits/poseidon.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../gadgets/Unpack.circom";

// The registration of a trading key.
//
// Proves (where enabled):
//   1. The chosen key of the chosen account was (oldKey, oldHead, oldMeta).
//   2. It becomes the given key with version + 1, the given expiry, and head =
//      Poseidon(domain, account, keyIndex, version). Nobody else's keys change.
// Assumes: enabled is 0 or 1; isAccount one-hot where enabled; keyIndex < 4, expiry < 2^32.
// Twin: sequencer/engine/transactions/registerKey.ts
template RegisterKey(accounts) {
    var keys = KEYS_PER_ACCOUNT();
    signal input enabled;
    signal input isAccount[accounts];
    signal input account;
    signal input keyIndex;
    signal input key[2];
    signal input expiry;
    signal input domain;
    signal input oldKey[2];
    signal input oldHead;
    signal input oldMeta;
    signal input keyHashes[accounts][keys];
    signal output keyHashesAfter[accounts][keys];

    var widths[2];
    widths[0] = KEY_META_EXPIRY_BITS();
    widths[1] = KEY_META_VERSION_BITS();
    component fields = Unpack(2, widths);
    fields.word <== oldMeta;
    signal version <== fields.fields[1] + 1;
    InRange(KEY_META_VERSION_BITS())(version);
    signal oldHash <== Poseidon(4)([oldKey[0], oldKey[1], oldHead, oldMeta]);
    signal head <== Poseidon(4)([domain, account, keyIndex, version]);
    signal meta <== expiry + version * (1 << KEY_META_VERSION_OFFSET());
    signal newHash <== Poseidon(4)([key[0], key[1], head, meta]);

    signal isKey[keys] <== SelectByIndex(keys)(keyIndex, enabled);
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
        change[k] <== isKey[k] * (newHash - oldHash);
        for (var a = 0; a < accounts; a++) {
            keyHashesAfter[a][k] <== keyHashes[a][k] + isAccount[a] * change[k];
        }
    }
    enabled * oldHash === found;
}
