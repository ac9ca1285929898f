// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ValidatorRegistry} from "../../contracts/ValidatorRegistry.sol";
import {
    IValidatorRegistry,
    SignedAttestation,
    ValidatorStatus
} from "../../contracts/interfaces/IValidatorRegistry.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev Certificates by any part of up to 16 validators: two thirds are enough and fewer never.
contract RegistryTest is RollupFixture {
    bytes32 private constant LOG = keccak256("log");
    bytes32 private constant WORDS = keccak256("words");
    address private constant REPORTER = address(0x5EE);

    ValidatorRegistry private registry;

    function _signature(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _certificate(
        uint16 bitmap,
        uint256 number,
        uint256 root
    ) private view returns (bytes memory certificate) {
        bytes32 digest = registry.attestationDigest(number, root, WORDS, LOG);
        certificate = abi.encodePacked(bitmap, LOG);
        for (uint256 i = 0; i < 16; i++) {
            if ((bitmap >> i) & 1 == 0) continue;
            certificate = abi.encodePacked(certificate, _signature(i + 1, digest));
        }
    }

    /// forge-config: default.fuzz.runs = 300
    function testFuzz_quorumIsTwoThirds(uint8 countSeed, uint16 bitmap, uint256 root) external {
        uint256 count = 1 + (countSeed % 16);
        registry = deployWithValidators(count);
        bitmap &= uint16((1 << count) - 1);
        uint256 signatures = 0;
        for (uint256 i = 0; i < count; i++) signatures += (bitmap >> i) & 1;
        uint256 quorum = registry.quorum();
        assert(3 * quorum >= 2 * count && 3 * (quorum - 1) < 2 * count);
        bytes memory certificate = _certificate(bitmap, 1, root);
        if (signatures < quorum) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IValidatorRegistry.QuorumMissing.selector,
                    signatures,
                    quorum
                )
            );
        }
        assert(registry.certifies(1, root, WORDS, certificate) || signatures < quorum);
        assert(!registry.certifies(1, root, WORDS, ""));
    }

    /// @dev Any changed byte makes a certificate worthless.
    /// forge-config: default.fuzz.runs = 1000
    function testFuzz_changedCertificate_reverts(uint16 at_, uint8 change) external {
        registry = deployWithValidators(4);
        bytes memory certificate = _certificate(7, 1, 5);
        assert(registry.certifies(1, 5, WORDS, certificate));
        uint256 index = at_ % certificate.length;
        // Signatures of one bit more or less, another log, another signature: all are caught.
        certificate[index] ^= bytes1(change == 0 ? 1 : change);
        (bool success, ) = address(registry).call(
            abi.encodeCall(registry.certifies, (1, 5, WORDS, certificate))
        );
        assert(!success);
    }

    /// @dev Members come and go; the list stays what the statuses say, at most 16, each once.
    /// forge-config: default.fuzz.runs = 300
    function testFuzz_membersFollowStatuses(uint8[12] memory actions) external {
        registry = deployWithValidators(6);
        for (uint256 i = 0; i < actions.length; i++) {
            address signer = vm.addr(1 + (actions[i] % 6));
            uint256 kind = actions[i] / 64;
            if (kind == 0) try registry.requestLeave(signer) {} catch {}
            if (kind == 1) try registry.finishLeave(signer) {} catch {}
            if (kind == 2) try registry.release(signer) {} catch {}
            if (kind == 3) vm.warp(block.timestamp + 20 days);
            _checkMembers();
        }
    }

    function _checkMembers() private view {
        address[] memory members = registry.members();
        uint256 active = 0;
        uint256 bonded = 0;
        for (uint256 key = 1; key <= 6; key++) {
            address signer = vm.addr(key);
            ValidatorStatus status = registry.validator(signer).status;
            uint256 found = 0;
            for (uint256 i = 0; i < members.length; i++) if (members[i] == signer) found++;
            assert(found == (status == ValidatorStatus.Active ? 1 : 0));
            active += found;
            if (status == ValidatorStatus.Active || status == ValidatorStatus.Left) bonded++;
        }
        assert(active == members.length && active == registry.admitted());
        uint256 owed = bonded * STAKE + registry.credit(address(this));
        assert(token.balanceOf(address(registry)) == owed);
    }

    /// forge-config: default.fuzz.runs = 300
    function testFuzz_slashing_paysReporterAndInsurance(
        uint8 keySeed,
        uint256 number,
        uint256 rootA,
        uint256 rootB
    ) external {
        vm.assume(rootA != rootB);
        registry = deployWithValidators(4);
        uint256 key = 1 + (keySeed % 4);
        SignedAttestation memory first = _signed(key, number, rootA);
        SignedAttestation memory second = _signed(key, number, rootB);
        vm.prank(REPORTER);
        registry.slash(number, first, second);
        assert(registry.credit(REPORTER) == STAKE / 10);
        assert(registry.credit(INSURANCE) == STAKE - STAKE / 10);
        assert(registry.members().length == 3 && registry.quorum() == 2);
        registry.payCredit(REPORTER);
        registry.payCredit(INSURANCE);
        assert(token.balanceOf(INSURANCE) == STAKE - STAKE / 10);
        assert(token.balanceOf(address(registry)) == 3 * STAKE);
        // Slashed once and for good.
        vm.expectRevert(
            abi.encodeWithSelector(
                IValidatorRegistry.StatusUnequal.selector,
                vm.addr(key),
                ValidatorStatus.Slashed,
                ValidatorStatus.Active
            )
        );
        registry.slash(number, first, second);
    }

    function _signed(
        uint256 key,
        uint256 number,
        uint256 root
    ) private view returns (SignedAttestation memory) {
        bytes32 digest = registry.attestationDigest(number, root, WORDS, LOG);
        return SignedAttestation(root, WORDS, LOG, _signature(key, digest));
    }
}
