// node osv.mjs SCHEMA FILE...: against validation/schema.json of ossf/osv-schema.
// The prefix x_SIW- is not registered there, and is taken all the same.
import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const [schemaFile, ...files] = process.argv.slice(2);
const schema = JSON.parse(readFileSync(schemaFile));
if (schema.$defs?.prefix)
  schema.$defs.prefix.pattern =
    `(${schema.$defs.prefix.pattern})|^x_SIW-`;
const ajv = new Ajv2020.default({ allErrors: true, strict: false });
addFormats.default(ajv);
const validate = ajv.compile(schema);
let bad = files.length === 0;
for (const file of files) {
  if (validate(JSON.parse(readFileSync(file)))) continue;
  bad = true;
  for (const error of validate.errors)
    console.log(`${file}: ${error.instancePath || "/"}: ${error.message}`);
}
console.log(`${files.length} records`);
process.exit(bad ? 1 : 0);
