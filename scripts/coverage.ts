/**
 * `npm run coverage`: how much of the contracts their tests reach. Lines on which a
 * statement begins; branches are the outcomes of every condition (`if`, loops, `? :`), of every
 * operand of `&&` and `||`, and the clauses of `try`. Hardhat counts statements; branches are made
 * into statements before (scripts/coverage/branches.ts).
 */
import { coverageTable, measureCoverage } from "./coverage/measure.ts";

const contracts = measureCoverage();
for (const line of coverageTable(contracts)) console.log(line);
