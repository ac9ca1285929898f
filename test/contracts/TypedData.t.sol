// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ValidatorRegistry} from "../../contracts/ValidatorRegistry.sol";
import {Rollup} from "../../contracts/Rollup.sol";
import {ProtocolConstants as P} from "../../contracts/generated/ProtocolConstants.sol";
import {IRollup, RollupConfig} from "../../contracts/interfaces/IRollup.sol";
import {
    Candidate,
    IValidatorRegistry,
    SignedAttestation
} from "../../contracts/interfaces/IValidatorRegistry.sol";
import {RollupFixture} from "./RollupFixture.sol";

/// @dev A contract wallet (ERC-1271) that calls every signature its own.
contract YesWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return this.isValidSignature.selector;
    }
}

/// @dev D5: the only signatures that contracts take are validators' attestations, in certificates
/// and as evidence: 65 bytes of a plain key, for one chain, contract, batch, root, words and log.
contract TypedDataTest is RollupFixture {
    bytes32 private constant LOG = keccak256("log");
    bytes32 private constant WORDS = keccak256("words");
    uint256 private constant ROOT = 2;
    uint256 private constant ORDER =
        0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    uint256 private constant HOME = 31337;
    uint256 private constant VALIDATORS = 3;

    ValidatorRegistry private registry;

    struct Signature {
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    function setUp() external {
        registry = deployWithValidators(VALIDATORS);
        assert(_certifies(1, ROOT, _certificate(_digest(1, ROOT))));
    }

    function test_D5_otherChain_refused() external {
        bytes memory home = _certificate(_digest(1, ROOT));
        vm.chainId(1);
        _refused(1, ROOT, home);
        bytes32 there = _digest(1, ROOT);
        assert(_certifies(1, ROOT, _certificate(there)));
        vm.chainId(HOME);
        _refused(1, ROOT, _certificate(there));
        // What somebody signed on a fork is no evidence here.
        assert(!_slashes(_attested(_digest(1, 7), 7), _attested(there, ROOT)));
    }

    /// @dev A batch, its proof and its certificate are one chain's: the words name the domain.
    function test_D5_batchOnAFork_refused() external {
        uint256[] memory words = emptyLedgerBatch();
        uint256 stated = words[P.HEADER_DOMAIN];
        bytes memory certificate = _certificate(_digestOf(words));
        vm.chainId(1);
        uint256 domain = rollup.domain();
        assert(domain != stated);
        vm.prank(OPERATOR, OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(IRollup.BatchDomainUnequal.selector, stated, domain)
        );
        rollup.submitBatch(words, 1, noProof(), certificate);
        vm.chainId(HOME);
        vm.prank(OPERATOR, OPERATOR);
        rollup.submitBatch(words, 1, noProof(), certificate);
    }

    function test_D5_otherContract_refused() external {
        bytes memory first = _certificate(_digest(1, ROOT));
        ValidatorRegistry before = registry;
        registry = deployWithValidators(VALIDATORS);
        assert(address(before) != address(registry));
        _refused(1, ROOT, first);
        assert(_certifies(1, ROOT, _certificate(_digest(1, ROOT))));
    }

    /// @dev The number is the nonce: signatures for one batch are none for another.
    function testFuzz_D5_otherNumberOrRoot_refused(
        uint256 number,
        uint256 root
    ) external view {
        vm.assume(number != 1 || root != ROOT);
        bytes memory certificate = _certificate(_digest(1, ROOT));
        _refused(number, root, certificate);
        _refused(number, ROOT + 1, certificate);
        certificate[2] ^= 0x01;
        _refused(1, ROOT, certificate);
    }

    /// @dev With the same number and root, other words are another batch.
    function testFuzz_D5_otherWords_refused(bytes32 words) external view {
        vm.assume(words != WORDS);
        bytes memory certificate = _certificate(_digest(1, ROOT));
        (bool success, bytes memory reason) = address(registry).staticcall(
            abi.encodeCall(registry.certifies, (1, ROOT, words, certificate))
        );
        assert(!success);
        assert(bytes4(reason) == IValidatorRegistry.CertificateSignatureInvalid.selector);
    }

    /// @dev No time ends a certificate; that its batch is anchored does.
    function test_D5_usedCertificate_refused() external {
        uint256[] memory words = emptyLedgerBatch();
        bytes memory used = _certificate(_digestOf(words));
        vm.prank(OPERATOR, OPERATOR);
        rollup.submitBatch(words, 1, noProof(), used);
        uint256 root = words[P.HEADER_ROOT_AFTER];
        words = emptyLedgerBatch();
        words[P.HEADER_ROOT_AFTER] = root;
        vm.prank(OPERATOR, OPERATOR);
        (bool success, bytes memory reason) = address(rollup).call(
            abi.encodeCall(rollup.submitBatch, (words, 1, noProof(), used))
        );
        assert(!success);
        assert(bytes4(reason) == IValidatorRegistry.CertificateSignatureInvalid.selector);
        assert(rollup.batchCount() == 1);
    }

    function test_D5_highS_refused() external {
        Signature memory mirrored = _sign(1, _digest(1, ROOT));
        mirrored.s = bytes32(ORDER - uint256(mirrored.s));
        mirrored.v = mirrored.v == 27 ? 28 : 27;
        _refused(1, ROOT, _certificateWith(_packed(mirrored)));
        bytes4 refusal = ECDSA.ECDSAInvalidSignatureS.selector;
        _refusesEvidence(_packed(mirrored), abi.encodeWithSelector(refusal, mirrored.s));
    }

    /// @dev EIP-2098: 64 bytes, the parity in the highest bit of s.
    function test_D5_compact_refused() external {
        Signature memory plain = _sign(1, _digest(1, ROOT));
        bytes32 yParityAndS = bytes32(uint256(plain.s) | (uint256(plain.v - 27) << 255));
        bytes memory compact = abi.encodePacked(plain.r, yParityAndS);
        bytes memory certificate = _certificateWith(compact);
        (bool success, ) = _asked(1, ROOT, certificate);
        assert(!success);
        bytes4 refusal = ECDSA.ECDSAInvalidSignatureLength.selector;
        _refusesEvidence(compact, abi.encodeWithSelector(refusal, 64));
    }

    function testFuzz_D5_otherRecoveryByte_refused(uint8 v) external view {
        Signature memory signed = _sign(1, _digest(1, ROOT));
        vm.assume(v != signed.v);
        signed.v = v;
        _refused(1, ROOT, _certificateWith(_packed(signed)));
    }

    /// @dev A contract cannot sign: nobody asks it, whatever it would say.
    function test_D5_contractWallet_refused() external {
        address wallet = address(new YesWallet());
        RollupConfig memory config_ = config();
        config_.validators.candidates = new Candidate[](1);
        config_.validators.candidates[0] = Candidate(wallet, address(this));
        registry = ValidatorRegistry(address(new Rollup(config_).validators()));
        token.mint(address(this), STAKE);
        token.approve(address(registry), STAKE);
        registry.bond(wallet);
        assert(registry.quorum() == 1);
        bytes memory signature = _packed(_sign(1, _digest(1, ROOT)));
        bytes memory certificate = abi.encodePacked(uint16(1), LOG, signature);
        _refused(1, ROOT, certificate);
        _refused(1, ROOT, abi.encodePacked(uint16(1), LOG, new bytes(65)));
    }

    function _digest(uint256 number, uint256 root) private view returns (bytes32) {
        return registry.attestationDigest(number, root, WORDS, LOG);
    }

    /// @dev Of the first batch, as it is published.
    function _digestOf(uint256[] memory words) private view returns (bytes32) {
        bytes32 hash = keccak256(abi.encodePacked(words));
        return registry.attestationDigest(1, words[P.HEADER_ROOT_AFTER], hash, LOG);
    }

    function _sign(uint256 key, bytes32 digest) private pure returns (Signature memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return Signature(v, r, s);
    }

    function _packed(Signature memory signed) private pure returns (bytes memory) {
        return abi.encodePacked(signed.r, signed.s, signed.v);
    }

    /// @dev Everybody's signature of this digest.
    function _certificate(bytes32 digest) private pure returns (bytes memory certificate) {
        certificate = abi.encodePacked(uint16((1 << VALIDATORS) - 1), LOG);
        for (uint256 key = 1; key <= VALIDATORS; key++) {
            certificate = abi.encodePacked(certificate, _packed(_sign(key, digest)));
        }
    }

    /// @dev The first signature is another, the rest is right.
    function _certificateWith(bytes memory first) private view returns (bytes memory certificate) {
        bytes32 digest = _digest(1, ROOT);
        certificate = abi.encodePacked(uint16((1 << VALIDATORS) - 1), LOG, first);
        for (uint256 key = 2; key <= VALIDATORS; key++) {
            certificate = abi.encodePacked(certificate, _packed(_sign(key, digest)));
        }
    }

    function _attested(
        bytes32 digest,
        uint256 root
    ) private pure returns (SignedAttestation memory) {
        return SignedAttestation(root, WORDS, LOG, _packed(_sign(1, digest)));
    }

    function _asked(
        uint256 number,
        uint256 root,
        bytes memory certificate
    ) private view returns (bool, bytes memory) {
        bytes memory call = abi.encodeCall(
            registry.certifies,
            (number, root, WORDS, certificate)
        );
        return address(registry).staticcall(call);
    }

    function _certifies(
        uint256 number,
        uint256 root,
        bytes memory certificate
    ) private view returns (bool) {
        (bool success, bytes memory answer) = _asked(number, root, certificate);
        return success && abi.decode(answer, (bool));
    }

    function _refused(uint256 number, uint256 root, bytes memory certificate) private view {
        (bool success, bytes memory reason) = _asked(number, root, certificate);
        assert(!success);
        assert(bytes4(reason) == IValidatorRegistry.CertificateSignatureInvalid.selector);
    }

    function _slashes(
        SignedAttestation memory first,
        SignedAttestation memory second
    ) private returns (bool success) {
        (success, ) = address(registry).call(abi.encodeCall(registry.slash, (1, first, second)));
    }

    /// @dev The same signature in its proper form is evidence: only the form is refused.
    function _refusesEvidence(bytes memory odd, bytes memory reason) private {
        SignedAttestation memory second = _attested(_digest(1, 7), 7);
        vm.expectRevert(reason);
        registry.slash(1, SignedAttestation(ROOT, WORDS, LOG, odd), second);
        assert(_slashes(_attested(_digest(1, ROOT), ROOT), second));
    }
}
