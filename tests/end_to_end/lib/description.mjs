// Holds the answers of a hub against its own /api/v1/openapi.json: path, status, content type and every key of the body. Each
// answer that a test gets passes here, so a handler and its description cannot part.
import { createHash } from 'node:crypto';

import { judgePackage } from './places.mjs';

/** What one text says; compiled once in this process, however many hubs have it. */
class Description {
  static #known = new Map();

  static of(text) {
    const key = createHash('sha256').update(text).digest('hex');
    if (!this.#known.has(key)) this.#known.set(key, new Description(text));
    return this.#known.get(key);
  }

  #validators = new Map();

  constructor(text) {
    const { default: Ajv } = judgePackage('ajv/dist/2020');
    this.document = JSON.parse(text);
    this.ajv = new Ajv({ strict: false, allErrors: true });
    judgePackage('ajv-formats').default(this.ajv);
    this.ajv.addSchema(this.document, 'openapi');
    this.routes = Object.keys(this.document.paths).map((path) => ({ path, segments: path.replace(/\/$/, '').split('/') }))
      .sort((a, b) => a.segments.filter((one) => one.startsWith('{')).length - b.segments.filter((one) => one.startsWith('{')).length);
  }

  /** As the hub finds it: words before {parameters}, and of those that fit one that has the method. */
  pathOf(target, verb) {
    const segments = target.split('?')[0].replace(/\/$/, '').split('/');
    const fitting = this.routes.filter((route) => route.segments.length === segments.length
      && route.segments.every((one, i) => one === segments[i] || (one.startsWith('{') && segments[i] !== '')));
    return (fitting.find(({ path }) => verb in this.document.paths[path]) ?? fitting[0])?.path;
  }

  /** What is wrong with `value` at this place of the document; null when nothing is. */
  faultsAt(place, value) {
    const key = place.join(' ');
    if (!this.#validators.has(key)) {
      const pointer = place.map((one) => `/${encodeURIComponent(one.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');
      this.#validators.set(key, this.ajv.compile({ $ref: `openapi#${pointer}` }));
    }
    const validate = this.#validators.get(key);
    return validate(value) ? null : this.ajv.errorsText(validate.errors, { dataVar: 'answer' });
  }

  /** Follows one $ref of the document. */
  place(steps) {
    const value = steps.reduce((at, step) => at?.[step], this.document);
    return value?.$ref ? value.$ref.slice(2).split('/') : steps;
  }

  at(steps) { return steps.reduce((value, step) => value?.[step], this.document); }
}

const hubs = new Map();
const mismatches = [];
// A test may have caught what `judge` threw.
process.on('exit', (code) => {
  if (mismatches.length === 0) return;
  process.stderr.write(`answers that are not in /api/v1/openapi.json:\n${[...new Set(mismatches)].join('\n')}\n`);
  if (code === 0) process.exitCode = 1;
});

/** From now on the answers of this hub are judged by `text`. */
export function describedBy(url, text) { hubs.set(url, Description.of(text)); }

export function descriptionOf(url) { return hubs.get(url)?.document; }

const is = (answer, type) => (answer.headers['content-type'] ?? '').split(';')[0] === type;

function problemFaults(description, answer) {
  if (!is(answer, 'application/problem+json')) return `a refusal of type ${answer.headers['content-type']}`;
  if (answer.json.status !== answer.status) return `a problem that says ${answer.json.status}`;
  return description.faultsAt(['components', 'schemas', 'Problem'], answer.json);
}

/** Refused before there is a route: only what every path has. */
function faultsWithoutRoute(description, method, answer, expected) {
  if (method === 'OPTIONS' && answer.status === 204) return null;
  if (method === 'HEAD') return answer.status >= 400 ? null : 'no such path';
  const faults = problemFaults(description, answer);
  if (faults) return faults;
  if (answer.json.code === expected) return null;
  const shared = ['components', 'responses', `Problem${answer.status}`, 'content', 'application/problem+json', 'schema'];
  return description.at(shared) ? description.faultsAt(shared, answer.json) : `code ${answer.json.code} where only ${expected} can be`;
}

const verbOf = (method) => (method === 'HEAD' ? 'get' : method.toLowerCase());

function faultsOf(description, method, path, answer) {
  const verb = verbOf(method);
  const operation = path && description.document.paths[path][verb];
  if (!path) return faultsWithoutRoute(description, method, answer, 'unknown_path');
  if (!operation) return faultsWithoutRoute(description, method, answer, 'method_not_allowed');
  const statuses = [String(answer.status), `${String(answer.status)[0]}XX`, 'default'];
  const status = statuses.find((one) => one in operation.responses);
  if (!status) return `status ${answer.status} is not among ${Object.keys(operation.responses)}: ${answer.body.slice(0, 300)}`;
  if (method === 'HEAD') return null;
  const place = description.place(['paths', path, verb, 'responses', status]);
  const { content } = description.at(place);
  if (!content) return status === 'default' || answer.body === '' ? null : 'a body where none can be';
  const type = (answer.headers['content-type'] ?? '').split(';')[0];
  if (!(type in content)) return `content type ${type} is not among ${Object.keys(content)}`;
  if (type === 'application/problem+json' && answer.json.status !== answer.status) return `a problem that says ${answer.json.status}`;
  if (!type.endsWith('json')) return null;
  return description.faultsAt([...place, 'content', type, 'schema'], answer.json);
}

/** api-shapes rule 11. */
function headerFaults(target, answer) {
  const type = answer.headers['content-type'] ?? '';
  const isFirst = !answer.headers['idempotent-replayed'];
  if (type.startsWith('application/problem+json') && answer.body && isFirst && answer.json.instance !== answer.headers['x-request-id']) return 'the problem of another request';
  if (!answer.headers['x-request-id']) return 'without X-Request-Id';
  if (target.startsWith('/api') && answer.headers['cache-control'] !== 'no-store') return `Cache-Control ${answer.headers['cache-control']}`;
  return null;
}

/** Throws where the answer is not one that the hub describes. Paths that are no API's (hooks) are let pass. */
export function judge(url, method, target, answer) {
  const description = hubs.get(url);
  if (!description || target === '/api/v1/openapi.json') return;
  const path = description.pathOf(target, verbOf(method));
  const isDescribed = path && verbOf(method) in description.document.paths[path];
  if (!isDescribed && !/^\/(api\/v1|health)(\/|\?|$)/.test(target)) return;  // A hook can share its path with another verb.
  const faults = headerFaults(target, answer) ?? faultsOf(description, method, path, answer);
  if (!faults) return;
  const text = `${method} ${target} answers ${answer.status}, which is not in /api/v1/openapi.json: ${faults}`;
  mismatches.push(text);
  throw new Error(text);
}
