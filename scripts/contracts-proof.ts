/**
 * `npm run contracts:proof`: runs contracts and conformance against every broken provider and shows what
 * noticed each. What is broken, and how it is judged, is `contracts/proof`.
 */
import { readPact } from "../contracts/pact-file.ts";
import { brokenAnswers } from "../contracts/proof/broken-answers.ts";
import { brokenAssumptions } from "../contracts/proof/broken-assumptions.ts";
import { brokenEffects } from "../contracts/proof/broken-effects.ts";
import { proveAll } from "../contracts/proof/proof.ts";
import { isCaught, proofReport } from "../contracts/proof/report.ts";

const broken = [...brokenAnswers, ...brokenEffects];
const proofs = await proveAll([...broken, ...brokenAssumptions], await readPact());
const rejected = proofs.slice(0, broken.length).filter(isCaught);

process.stdout.write(`${proofReport(proofs)}
${rejected.length} of ${broken.length} broken providers are rejected. ${brokenAssumptions.length} more contradict
only what was observed or assumed, which is shown in parentheses and rejects nobody.
`);
process.exitCode = rejected.length === broken.length ? 0 : 1;
