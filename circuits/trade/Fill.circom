pragma circom 2.2.0;

include "../generated/Constants.circom";
include "../gadgets/Health.circom";
include "../gadgets/Select.circom";

// Rows 6 to 8 of SPEC section 6: whether maker and taker can bear the fill.
//
// Proves:
//   1. Of makerFails, takerFails and fills exactly one is 1 if isTested, none else: the maker is
//      tested first, the taker only if the maker passes.
//   2. step[s] = change of a buyer's headroom for each lot = unit * (bookRisk[s] - 4 price).
// Assumes: selectors one-hot or zero; headrooms and changes below 2^100 in size.
// Twin: sequencer/engine/risk.ts (admissibility), sequencer/engine/transactions/place.ts
template FillVerdict(accounts, books, scenarios, unit) {
    signal input isTested;
    signal input isTaker[accounts];
    signal input isMaker[accounts];
    signal input isBook[books];
    signal input bookRisk[books][scenarios + 1];
    signal input headroom[accounts][scenarios + 1];
    signal input price;
    signal input lots;
    signal input direction;
    signal output step[scenarios + 1];
    signal output makerFails;
    signal output takerFails;
    signal output fills;

    component risk[scenarios + 1];
    component takerRoom[scenarios + 1];
    component makerRoom[scenarios + 1];
    signal bought[scenarios + 1];
    component maker = Admissible(scenarios + 1);
    component taker = Admissible(scenarios + 1);
    signal signedLots <== direction * lots;
    for (var s = 0; s <= scenarios; s++) {
        risk[s] = Dot(books);
        for (var b = 0; b < books; b++) {
            risk[s].a[b] <== isBook[b];
            risk[s].b[b] <== bookRisk[b][s];
        }
        takerRoom[s] = Dot(accounts);
        makerRoom[s] = Dot(accounts);
        for (var a = 0; a < accounts; a++) {
            takerRoom[s].a[a] <== isTaker[a];
            takerRoom[s].b[a] <== headroom[a][s];
            makerRoom[s].a[a] <== isMaker[a];
            makerRoom[s].b[a] <== headroom[a][s];
        }
        step[s] <== unit * (risk[s].out - MARGIN_VALUE_FACTOR() * price);
        bought[s] <== signedLots * step[s];
        taker.headroom[s] <== takerRoom[s].out;
        taker.change[s] <== bought[s];
        maker.headroom[s] <== makerRoom[s].out;
        maker.change[s] <== -bought[s];
    }
    maker.enabled <== isTested;
    taker.enabled <== maker.passes;
    makerFails <== maker.fails;
    takerFails <== taker.fails;
    fills <== taker.passes;
}

// Moves lots and cash between taker and maker, or restores what an aborted order had done.
//
// Proves:
//   1. If `signedLots` (positive: the taker buys) is not 0, headrooms, cash and net lots of taker
//      and maker change by it, opposite to one another; nobody else's do.
//   2. saved = what stood before the order's first step; restored if `restore`.
// Assumes: selectors one-hot or zero; restore, isFirst 0 or 1.
template ApplyFill(accounts, books, scenarios, unit) {
    signal input isTaker[accounts];
    signal input isMaker[accounts];
    signal input isBook[books];
    signal input signedLots;
    signal input price;
    signal input step[scenarios + 1];
    signal input isFirst;
    signal input restore;
    signal input headroom[accounts][scenarios + 1];
    signal input cash[accounts];
    signal input net[accounts][books];
    signal input savedHeadroom[accounts][scenarios + 1];
    signal input savedCash[accounts];
    signal input savedNet[accounts][books];
    signal output headroomAfter[accounts][scenarios + 1];
    signal output cashAfter[accounts];
    signal output netAfter[accounts][books];
    signal output savedHeadroomAfter[accounts][scenarios + 1];
    signal output savedCashAfter[accounts];
    signal output savedNetAfter[accounts][books];

    signal gain[scenarios + 1];
    for (var s = 0; s <= scenarios; s++) {
        gain[s] <== signedLots * step[s];
    }
    signal received[accounts];
    signal paid[accounts];
    signal cashMoved[accounts];
    signal netMoved[accounts][books];
    signal moved[accounts][scenarios + 1];
    for (var a = 0; a < accounts; a++) {
        received[a] <== (isTaker[a] - isMaker[a]) * signedLots;
        paid[a] <== received[a] * price;
        cashMoved[a] <== cash[a] - unit * paid[a];
        savedCashAfter[a] <== savedCash[a] + isFirst * (cash[a] - savedCash[a]);
        cashAfter[a] <== cashMoved[a] + restore * (savedCashAfter[a] - cashMoved[a]);
        for (var b = 0; b < books; b++) {
            netMoved[a][b] <== net[a][b] + received[a] * isBook[b];
            savedNetAfter[a][b] <== savedNet[a][b] + isFirst * (net[a][b] - savedNet[a][b]);
            netAfter[a][b] <== netMoved[a][b] + restore * (savedNetAfter[a][b] - netMoved[a][b]);
        }
        for (var s = 0; s <= scenarios; s++) {
            moved[a][s] <== headroom[a][s] + (isTaker[a] - isMaker[a]) * gain[s];
            savedHeadroomAfter[a][s] <== savedHeadroom[a][s]
                + isFirst * (headroom[a][s] - savedHeadroom[a][s]);
            headroomAfter[a][s] <== moved[a][s]
                + restore * (savedHeadroomAfter[a][s] - moved[a][s]);
        }
    }
}

// Proves: out = an account's exposure to a book now: positions . weights.
// Assumes: selectors one-hot or zero.
// Twin: sequencer/engine/book (exposure)
template ExposureNow(accounts, books) {
    signal input isAccount[accounts];
    signal input isBook[books];
    signal input exposure[accounts][books];
    signal input net[accounts][books];
    signal input gram[books][books];
    signal output out;

    signal before[accounts][books];
    signal ofAccount[books];
    signal netPart[accounts][books];
    component row[books];
    signal atBook[books];
    signal traded[books];
    var sum = 0;
    for (var b = 0; b < books; b++) {
        var first = 0;
        var bought = 0;
        row[b] = Dot(books);
        for (var a = 0; a < accounts; a++) {
            before[a][b] <== isAccount[a] * exposure[a][b];
            first += before[a][b];
            netPart[a][b] <== isAccount[a] * net[a][b];
            bought += netPart[a][b];
        }
        ofAccount[b] <== first;
        for (var c = 0; c < books; c++) {
            row[b].a[c] <== isBook[c];
            row[b].b[c] <== gram[b][c];
        }
        atBook[b] <== isBook[b] * ofAccount[b];
        traded[b] <== bought * row[b].out;
        sum += atBook[b] + traded[b];
    }
    out <== sum;
}
