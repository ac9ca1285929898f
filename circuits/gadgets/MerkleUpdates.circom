pragma circom 2.2.0;

include "MerkleUpdate.circom";
include "Row.circom";
include "Select.circom";
include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/poseidon.circom";

// How many of the uppermost levels of a tree are opened whole where `leaves` leaves are replaced:
// as many as have no more than twice as many nodes, which cost less than the paths through them.
// Twin: sequencer/protocol/merklePath.ts (sharedLevels)
function SharedLevels(leaves, levels) {
    var shared = 0;
    while (shared + 1 < levels && (1 << (2 * (shared + 1))) <= 2 * leaves) {
        shared++;
    }
    return shared;
}

// Leaves of one quaternary Poseidon tree, replaced one after the other. Each has its own path up to
// the nodes of one level, `shared` levels below the root, which are all given at once.
//
// Proves:
//   1. rootBefore is the root of a tree of which `top` are the nodes at that level.
//   2. leafBefore[i] is at place ids[i] of the tree in which the leaves before i are replaced.
//   3. rootAfter is the root of the tree in which all are.
// Assumes: nothing; ids are constrained below 4^levels.
// Signals: siblings[i][level] are the three other children in their order, from the leaf upwards.
// Twin: sequencer/state/merkleTree.ts
template MerkleUpdates(n, levels) {
    var shared = SharedLevels(n, levels);
    assert(shared >= 1);
    var nodes = 1 << (2 * shared);
    signal input ids[n];
    signal input leafBefore[n];
    signal input leafAfter[n];
    signal input siblings[n][levels - shared][3];
    signal input top[nodes];
    signal output rootBefore;
    signal output rootAfter;

    component digits[n];
    component level[n][levels - shared];
    component isNode[n];
    component replaced[n];
    for (var i = 0; i < n; i++) {
        digits[i] = Num2Bits(2 * levels);
        digits[i].in <== ids[i];
        for (var l = 0; l < levels - shared; l++) {
            level[i][l] = MerkleLevel();
            level[i][l].low <== digits[i].out[2 * l];
            level[i][l].high <== digits[i].out[2 * l + 1];
            level[i][l].siblings <== siblings[i][l];
            level[i][l].before <== l == 0 ? leafBefore[i] : level[i][l - 1].parentBefore;
            level[i][l].after <== l == 0 ? leafAfter[i] : level[i][l - 1].parentAfter;
        }
        var index = 0;
        for (var bit = 0; bit < 2 * shared; bit++) {
            index += digits[i].out[2 * (levels - shared) + bit] * (1 << bit);
        }
        isNode[i] = SelectByIndex(nodes);
        isNode[i].index <== index;
        isNode[i].enabled <== 1;
        replaced[i] = ReplaceRow(nodes, 1);
        replaced[i].chosen <== isNode[i].out;
        for (var node = 0; node < nodes; node++) {
            replaced[i].rows[node][0] <== i == 0 ? top[node] : replaced[i - 1].out[node][0];
        }
        replaced[i].row[0] <== level[i][levels - shared - 1].parentBefore;
        replaced[i].by[0] <== level[i][levels - shared - 1].parentAfter;
    }

    component before = MerkleTop(shared);
    component after = MerkleTop(shared);
    for (var node = 0; node < nodes; node++) {
        before.nodes[node] <== top[node];
        after.nodes[node] <== replaced[n - 1].out[node][0];
    }
    rootBefore <== before.root;
    rootAfter <== after.root;
}

// Proves: root is that of a tree with these nodes at one level, `levels` below it.
// Assumes: nothing; levels is at least 1.
template MerkleTop(levels) {
    var parents = 1 << (2 * (levels - 1));
    signal input nodes[4 * parents];
    signal output root;
    signal parent[parents];
    for (var i = 0; i < parents; i++) {
        parent[i] <== Poseidon(4)([nodes[4 * i], nodes[4 * i + 1], nodes[4 * i + 2],
            nodes[4 * i + 3]]);
    }
    if (levels == 1) {
        root <== parent[0];
    } else {
        root <== MerkleTop(levels - 1)(parent);
    }
}
