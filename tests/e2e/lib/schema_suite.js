/* SPDX-License-Identifier: MIT */
// The public JSON-Schema test suite, drafts 4 to 2020-12, as Debian packages it for Perl, with the
// validators that say what an instance is.
import fs from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv';
import Ajv04 from 'ajv-draft-04';
import Ajv2019 from 'ajv/dist/2019.js';
import Ajv2020 from 'ajv/dist/2020.js';
import { createRequire } from 'node:module';

const folder = '/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance';
export const missing = fs.existsSync(folder) ? false
  : 'the test suite is missing: apt-get install libtest-json-schema-acceptance-perl';

// "2.0.0-730-g47958f8", as its authors count.
export const version = missing ? null
  : /\((.*)\)/.exec(fs.readFileSync(path.join(folder, 'submodule_status'), 'utf8'))?.[1];

const meta = createRequire(import.meta.url)('ajv/dist/refs/json-schema-draft-06.json');
const options = { strict: false, allErrors: true, logger: false, validateFormats: false };
const OLD = 'http://json-schema.org/draft-0';
const DRAFTS = {
  draft4: { uri: `${OLD}4/schema#`, make: () => new Ajv04(options) },
  draft6: { uri: `${OLD}6/schema#`, make: () => new Ajv(options).addMetaSchema(meta) },
  draft7: { uri: `${OLD}7/schema#`, make: () => new Ajv(options) },
  'draft2019-09': { uri: 'https://json-schema.org/draft/2019-09/schema',
    make: () => new Ajv2019.default(options) },
  'draft2020-12': { uri: 'https://json-schema.org/draft/2020-12/schema',
    make: () => new Ajv2020.default(options) },
};
export const drafts = Object.keys(DRAFTS);

// A schema says which draft it is of, as one that is not the newest has to.
const dated = (draft, schema) =>
  (typeof schema === 'object' ? { $schema: DRAFTS[draft].uri, ...schema } : schema);

const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

// The required part of a draft: [{ draft, file, description, schema, tests: [{ data, valid }] }].
export function groups(draft) {
  const from = path.join(folder, 'tests', draft);
  return fs.readdirSync(from).filter((name) => name.endsWith('.json')).flatMap((file) =>
    read(path.join(from, file)).map((group) =>
      ({ draft, file, ...group, schema: dated(draft, group.schema) })));
}

// Tells whether an instance is valid; null: there is no validator here that judges the group's own
// instances rightly (its schema refers to other documents, or is beyond Ajv).
export function validator({ draft, schema, tests }) {
  try {
    const check = DRAFTS[draft].make().compile(schema);
    return tests.every(({ data, valid }) => check(data) === valid) ? check : null;
  } catch {
    return null;
  }
}
