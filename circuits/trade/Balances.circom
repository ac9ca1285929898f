pragma circom 2.2.0;

include "../gadgets/Select.circom";
include "../state/Account.circom";
include "Working.circom";

// What the accounts of a trade batch begin with.
//
// Proves:
//   1. balances are cash and fees as given, headrooms in whole lot ticks with `excess`
//      (HeadroomLotTicks); nothing has been bought or saved.
//   2. exposure[a][b] = positions of a . weights of b.
// Assumes: headroom is AccountOpened's; weights are BooksOpened's.
// Twin: sequencer/engine/kept.ts
template BalancesOpened(A, B, M, S, unit) {
    signal input cash[A];
    signal input fees;
    signal input headroom[A][S + 1];
    signal input positions[A][M];
    signal input weights[B][M];
    output Balances(A, B, S) balances;
    signal output excess[A];
    signal output exposure[A][B];

    component whole[A];
    component product[A][B];
    for (var a = 0; a < A; a++) {
        whole[a] = HeadroomLotTicks(S, unit);
        whole[a].cash <== cash[a];
        whole[a].headroom <== headroom[a];
        excess[a] <== whole[a].excess;
        balances.headroom[a] <== whole[a].out;
        balances.savedLots[a] <== 0;
        balances.savedCash[a] <== 0;
        for (var b = 0; b < B; b++) {
            product[a][b] = Dot(M);
            product[a][b].a <== positions[a];
            product[a][b].b <== weights[b];
            exposure[a][b] <== product[a][b].out;
            balances.net[a][b] <== 0;
        }
    }
    balances.cash <== cash;
    balances.fees <== fees;
}
