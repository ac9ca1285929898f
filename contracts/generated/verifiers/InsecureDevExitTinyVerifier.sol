// SPDX-License-Identifier: GPL-3.0
// GENERATED: do not edit.
// INSECURE DEVELOPMENT KEY: anybody can forge proofs.
// Circuit exit, instance tiny; made by `npm run circuits -- --instance tiny --verifiers`.
/*
    Copyright 2021 0KIMS association.

    This file is generated with [snarkJS](https://github.com/iden3/snarkjs).

    snarkJS is a free software: you can redistribute it and/or modify it
    under the terms of the GNU General Public License as published by
    the Free Software Foundation, either version 3 of the License, or
    (at your option) any later version.

    snarkJS is distributed in the hope that it will be useful, but WITHOUT
    ANY WARRANTY; without even the implied warranty of MERCHANTABILITY
    or FITNESS FOR A PARTICULAR PURPOSE. See the GNU General Public
    License for more details.

    You should have received a copy of the GNU General Public License
    along with snarkJS. If not, see <https://www.gnu.org/licenses/>.
*/

pragma solidity >=0.7.0 <0.9.0;

contract InsecureDevExitTinyVerifier {
    /// Where the key comes from.
    string public constant KEY_ORIGIN = "insecure-development";
    /// The sha256 of the circuit's .r1cs file.
    bytes32 public constant R1CS_HASH = 0x0d27514ac9430af571c384d7b35ae1651681e2593640d55c25996080ff5f4606;
    /// No setup: the sha256 by which development keys are marked.
    bytes32 public constant SETUP_HASH = 0xa3f6e9cdb689a625fc65f8caabae735bb41b5ff4a6d024b597b19b3738faba08;

    /// Gamma and delta, which must differ: where they are equal, anybody can forge proofs.
    function keyPoints() external pure returns (uint256[4] memory, uint256[4] memory) {
        return (
            [gammax1, gammax2, gammay1, gammay2],
            [deltax1, deltax2, deltay1, deltay2]
        );
    }

    /// alpha, beta, gamma, delta and the points of the public signals, in this order.
    function verifyingKey() external pure returns (uint256[24] memory) {
        return [
            alphax, alphay,
            betax1, betax2, betay1, betay2,
            gammax1, gammax2, gammay1, gammay2,
            deltax1, deltax2, deltay1, deltay2,
            IC0x, IC0y,
            IC1x, IC1y,
            IC2x, IC2y,
            IC3x, IC3y,
            IC4x, IC4y
        ];
    }

    // Scalar field size
    uint256 constant r    = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    // Base field size
    uint256 constant q   = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    // Verification Key data
    uint256 constant alphax  = 14654489810608082575780002206317598618120085914929049907740618774052674880194;
    uint256 constant alphay  = 1865969887847773875355729449563980456145392503360383923660123669649970306622;
    uint256 constant betax1  = 2698940722360503848954226121889621915741966263216050544025623773422545844758;
    uint256 constant betax2  = 21240501972911376328252917878016350178970390816527818128368754164405430291780;
    uint256 constant betay1  = 20337478890148540659018084237732355530586728290985130584451442228334997582938;
    uint256 constant betay2  = 14484921211448870514896205926732346444425966276073306653713332574189963055449;
    uint256 constant gammax1 = 16287553242870360965368652681500548880657309887115223165969099225062733053328;
    uint256 constant gammax2 = 13080138863934006536135624219569381697585283935178969696389593127107412391713;
    uint256 constant gammay1 = 774439730647317686365057859662039653839404523488838499840100403945992223673;
    uint256 constant gammay2 = 12598242439556853618542882545693814111230265793731676618591967411675656895796;
    uint256 constant deltax1 = 12397242981330294510365024289484130691056735949313360135395170062957380987302;
    uint256 constant deltax2 = 977890299282884813691097102965525481625399401518204419243217998966490853667;
    uint256 constant deltay1 = 15880819585084424235024438994477032390850863496135693742446725595986240820997;
    uint256 constant deltay2 = 12070177081117324124189426647161772185238089090160530164010566843797814953091;

    uint256 constant IC0x = 15658151266325646519059572182768201038543961942123936891508601334536581266621;
    uint256 constant IC0y = 19265568456159926835326166819030406993724669609536464978569739284648074380810;
    uint256 constant IC1x = 13396112015163580645300401732489753789052770084924645555092541241920750607734;
    uint256 constant IC1y = 3603952066485004120704264219666207448811002016869535436374107915737616763133;
    uint256 constant IC2x = 13126751782843757737245012956908355093089540877727993832403139639535983262720;
    uint256 constant IC2y = 10826195615358735233664510470558974541157745492797503974268130090840511831736;
    uint256 constant IC3x = 15892640150782906319733759737291539195749742927330603256185561516578347106920;
    uint256 constant IC3y = 7243503558166649314114719747732640692337480521136682251090192065484865596939;
    uint256 constant IC4x = 13659614043016106145559614540739401462449660952995382146328272316681037985189;
    uint256 constant IC4y = 12092541937294936579988036452793530877790693907492266981076766723733041928286;

    // Memory data
    uint16 constant pVk = 0;
    uint16 constant pPairing = 128;

    uint16 constant pLastMem = 896;

    function verifyProof(uint[2] calldata _pA, uint[2][2] calldata _pB, uint[2] calldata _pC, uint[4] calldata _pubSignals) public view returns (bool) {
        assembly {
            function checkField(v) {
                if iszero(lt(v, r)) {
                    mstore(0, 0)
                    return(0, 0x20)
                }
            }

            // G1 function to multiply a G1 value(x,y) to value in an address
            function g1_mulAccC(pR, x, y, s) {
                let success
                let mIn := mload(0x40)
                mstore(mIn, x)
                mstore(add(mIn, 32), y)
                mstore(add(mIn, 64), s)

                success := staticcall(sub(gas(), 2000), 7, mIn, 96, mIn, 64)

                if iszero(success) {
                    mstore(0, 0)
                    return(0, 0x20)
                }

                mstore(add(mIn, 64), mload(pR))
                mstore(add(mIn, 96), mload(add(pR, 32)))

                success := staticcall(sub(gas(), 2000), 6, mIn, 128, pR, 64)

                if iszero(success) {
                    mstore(0, 0)
                    return(0, 0x20)
                }
            }

            function checkPairing(pA, pB, pC, pubSignals, pMem) -> isOk {
                let _pPairing := add(pMem, pPairing)
                let _pVk := add(pMem, pVk)

                mstore(_pVk, IC0x)
                mstore(add(_pVk, 32), IC0y)

                // Compute the linear combination vk_x

                g1_mulAccC(_pVk, IC1x, IC1y, calldataload(add(pubSignals, 0)))

                g1_mulAccC(_pVk, IC2x, IC2y, calldataload(add(pubSignals, 32)))

                g1_mulAccC(_pVk, IC3x, IC3y, calldataload(add(pubSignals, 64)))

                g1_mulAccC(_pVk, IC4x, IC4y, calldataload(add(pubSignals, 96)))

                // -A
                mstore(_pPairing, calldataload(pA))
                mstore(add(_pPairing, 32), mod(sub(q, calldataload(add(pA, 32))), q))

                // B
                mstore(add(_pPairing, 64), calldataload(pB))
                mstore(add(_pPairing, 96), calldataload(add(pB, 32)))
                mstore(add(_pPairing, 128), calldataload(add(pB, 64)))
                mstore(add(_pPairing, 160), calldataload(add(pB, 96)))

                // alpha1
                mstore(add(_pPairing, 192), alphax)
                mstore(add(_pPairing, 224), alphay)

                // beta2
                mstore(add(_pPairing, 256), betax1)
                mstore(add(_pPairing, 288), betax2)
                mstore(add(_pPairing, 320), betay1)
                mstore(add(_pPairing, 352), betay2)

                // vk_x
                mstore(add(_pPairing, 384), mload(add(pMem, pVk)))
                mstore(add(_pPairing, 416), mload(add(pMem, add(pVk, 32))))

                // gamma2
                mstore(add(_pPairing, 448), gammax1)
                mstore(add(_pPairing, 480), gammax2)
                mstore(add(_pPairing, 512), gammay1)
                mstore(add(_pPairing, 544), gammay2)

                // C
                mstore(add(_pPairing, 576), calldataload(pC))
                mstore(add(_pPairing, 608), calldataload(add(pC, 32)))

                // delta2
                mstore(add(_pPairing, 640), deltax1)
                mstore(add(_pPairing, 672), deltax2)
                mstore(add(_pPairing, 704), deltay1)
                mstore(add(_pPairing, 736), deltay2)

                let success := staticcall(sub(gas(), 2000), 8, _pPairing, 768, _pPairing, 0x20)

                isOk := and(success, mload(_pPairing))
            }

            let pMem := mload(0x40)
            mstore(0x40, add(pMem, pLastMem))

            // Validate that all evaluations ∈ F

            checkField(calldataload(add(_pubSignals, 0)))

            checkField(calldataload(add(_pubSignals, 32)))

            checkField(calldataload(add(_pubSignals, 64)))

            checkField(calldataload(add(_pubSignals, 96)))

            // Validate all evaluations
            let isValid := checkPairing(_pA, _pB, _pC, _pubSignals, pMem)

            mstore(0, isValid)
             return(0, 0x20)
         }
     }
 }
