// node csaf.mjs FILE...: all tests of CSAF 2.0 by the validator of the BSI,
// mandatory, optional and informative, but those that need a network or a
// dictionary. An error or a warning fails; informations are fine.
import { readFileSync } from "node:fs";
import * as full from "@secvisogram/csaf-validator-lib/full.js";
import validateStrict from "@secvisogram/csaf-validator-lib/validateStrict.js";

const elsewhere = [
  "informativeTest_6_3_6", // do external links resolve?
  "informativeTest_6_3_7", // do links to the document itself?
  "informativeTest_6_3_8", // spelling
];
const tests = Object.values(full).filter((t) => !elsewhere.includes(t.name));
const files = process.argv.slice(2);
let bad = files.length === 0;
for (const file of files) {
  const result = await validateStrict(tests, JSON.parse(readFileSync(file)));
  const said = result.tests.flatMap((t) =>
    [...t.errors, ...t.warnings].map(
      (m) => `${file}: ${m.instancePath || "/"}: ${t.name}: ${m.message}`,
    ),
  );
  for (const line of said) console.log(line);
  bad ||= !result.isValid || said.length > 0;
}
console.log(`${files.length} documents, ${tests.length} tests each`);
process.exit(bad ? 1 : 0);
