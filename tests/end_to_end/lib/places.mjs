// Where things are.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const build = process.env.PATCHBAY_BUILD ?? path.join(root, 'build/release');
export const binary = path.join(build, 'bin/patchbay');
export const npmCache = process.env.PATCHBAY_NPM_CACHE ?? path.join(os.homedir(), '.cache/patchbay-npm');

/** Contracts, peer cases and stand-ins live beside the project and are not shipped with it. */
const shared = process.env.PATCHBAY_SHARED ?? path.join(root, '../shared');

export function sharedFile(name) {
  return path.join(shared, name);
}

export function sharedJson(name) {
  return JSON.parse(fs.readFileSync(sharedFile(name), 'utf8'));
}

/** For `test(name, { skip: missing('...') }, ...)`: false, or one line that says what is not there. */
export function missing(...names) {
  const absent = names.find((name) => !fs.existsSync(sharedFile(name)));
  return absent ? `no ${absent} beside the project` : false;
}

/** A package of the judges, from the cache that scripts/common.sh fills. */
export const judgePackage = createRequire(path.join(npmCache, 'package.json'));
