// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity 0.8.37;

/// @title A token with the answers that are found in the wild: unit tests only
/// @dev Moves what it is asked to move, or not, and answers in each of the known ways.
contract OddToken {
    /// @notice How transfers answer.
    enum Answer {
        True,
        Nothing,
        False,
        Revert,
        Gas
    }

    uint8 public constant decimals = 6;
    Answer public answer;
    /// @notice The only receiver that `answer` is for; everybody if 0.
    address public onlyFor;
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    function setAnswer(Answer answer_, address onlyFor_) external {
        answer = answer_;
        onlyFor = onlyFor_;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    /// @dev Ends the call itself, since a Solidity function has one way to answer.
    function _move(address from, address to, uint256 amount) private {
        Answer chosen = onlyFor == address(0) || onlyFor == to ? answer : Answer.True;
        if (chosen == Answer.Revert) revert();
        while (chosen == Answer.Gas) balanceOf[address(0)] += 1;
        if (chosen != Answer.False) {
            balanceOf[from] -= amount;
            balanceOf[to] += amount;
        }
        assembly ("memory-safe") {
            if eq(chosen, 1) {
                return(0, 0)
            }
            mstore(0, eq(chosen, 0))
            return(0, 32)
        }
    }
}
