pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Select.circom";

// A signer's key that no operation of the batch has touched.
//
// Proves (where enabled): the chosen key of the chosen account has the same hash in both tables.
// Assumes: enabled is 0 or 1; isAccount is one-hot where enabled; keyIndex < 4.
// Twin: sequencer/batch/ledgerRun.ts (meetsOwnKey)
template KeptKey(accounts) {
    var keys = KEYS_PER_ACCOUNT();
    signal input enabled;
    signal input isAccount[accounts];
    signal input keyIndex;
    signal input keyHashesFirst[accounts][keys];
    signal input keyHashesNow[accounts][keys];

    signal isKey[keys] <== SelectByIndex(keys)(keyIndex, enabled);
    component change[keys];
    for (var k = 0; k < keys; k++) {
        change[k] = Dot(accounts);
        for (var a = 0; a < accounts; a++) {
            change[k].a[a] <== isAccount[a];
            change[k].b[a] <== keyHashesNow[a][k] - keyHashesFirst[a][k];
        }
        isKey[k] * change[k].out === 0;
    }
}
