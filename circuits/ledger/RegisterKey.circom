pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Range.circom";
include "../gadgets/Select.circom";
include "../gadgets/Unpack.circom";
include "KeyOrPath.circom";

// The registration of a trading key.
//
// Proves (where enabled):
//   1. The chosen key of the chosen account was (oldKey, oldHead, oldMeta).
//   2. It becomes the given key with version + 1, the given expiry, and head =
//      Poseidon(domain, account, keyIndex, version). Nobody else's keys change.
//   3. Where not enabled: rootBefore and rootAfter are those of the path (MerkleUpdate), which
//      its hashes walk instead. Where enabled they say nothing.
// Assumes: enabled is 0 or 1; isAccount one-hot where enabled; keyIndex < 4, expiry < 2^32.
// Twin: sequencer/engine/transactions/registerKey.ts
template RegisterKey(accounts, levels) {
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
    signal input id;
    signal input leafBefore;
    signal input leafAfter;
    signal input siblings[levels][3];
    signal output keyHashesAfter[accounts][keys];
    signal output rootBefore;
    signal output rootAfter;

    var widths[2];
    widths[0] = KEY_META_EXPIRY_BITS();
    widths[1] = KEY_META_VERSION_BITS();
    component fields = Unpack(2, widths);
    fields.word <== enabled * oldMeta;
    signal version <== fields.fields[1] + 1;
    InRange(KEY_META_VERSION_BITS())(version);
    component hashes = KeyOrPath(levels);
    hashes.isKey <== enabled;
    hashes.oldKey <== [oldKey[0], oldKey[1], oldHead, oldMeta];
    hashes.chain <== [domain, account, keyIndex, version];
    hashes.newKey <== key;
    hashes.newMeta <== expiry + version * (1 << KEY_META_VERSION_OFFSET());
    hashes.id <== id;
    hashes.leafBefore <== leafBefore;
    hashes.leafAfter <== leafAfter;
    hashes.siblings <== siblings;
    rootBefore <== hashes.rootBefore;
    rootAfter <== hashes.rootAfter;

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
        change[k] <== isKey[k] * (hashes.newHash - hashes.oldHash);
        for (var a = 0; a < accounts; a++) {
            keyHashesAfter[a][k] <== keyHashes[a][k] + isAccount[a] * change[k];
        }
    }
    enabled * hashes.oldHash === found;
}
