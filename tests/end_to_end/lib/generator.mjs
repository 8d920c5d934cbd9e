// Makes requests out of an OpenAPI document: as it says, and wrong in every way that it lets one think of. The same seed makes the same
// requests. A case: {what, method, target, body or raw, headers, role, expect}.

/** mulberry32: small, and the same everywhere. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const oddTexts = [
  '', ' ', '0', '-1', 'null', 'true', '\u0000', 'a\u0000b', '\u202Eabc', '👍🏽', 'ß'.repeat(50), 'x'.repeat(5000), "'; DROP TABLE users; --", '<script>', '../..',
  '+27123456789', '\ufeff', '%s%n', '{{x}}', 'a\r\nb: c',
];
const oddIds = [
  'abc', '0', '-1', '1.5', '9'.repeat(30), '9223372036854775807', '9223372036854775808', '%20', '%00', '%FF', '%E2%82', 'a%2Fb', '..', '%2e%2e', 'sid:', 'sid:CH1',
  'phone:', 'phone:abc', 'phone:%2B27', 'stay:12', '%F0%9F%91%8D', 'x'.repeat(300), "'--", '0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f', '*', 'null', '{id}',
];
const oddQueries = ['', 'x', '0', '-1', '201', '1e3', '9'.repeat(25), '%00', '%FF', '%zz', '%20', 'x'.repeat(3000), '2026-02-30T00:00:00Z', "'--", '%F0%9F%91%8D'];
const brokenBodies = {
  'no JSON': '{', 'an array': '[]', 'a text': '"x"', 'null': 'null', 'a number': '7', 'two objects': '{} {}', 'a key twice': '{"a": 1, "a": 2}', 'a BOM': '\ufeff{}',
  'too deep': `{"a": ${'['.repeat(40)}${']'.repeat(40)}}`, 'too large a number': '{"a": 1e999}', 'a lone surrogate': '{"a": "\\ud800"}', 'not UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
};
const wrongTypes = ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'multipart/form-data', 'application/json; charset=utf-16', 'application/jsonx', ''];
const values = { string: 'words', integer: 7, number: 1.5, boolean: true, array: [], object: {}, null: null };

export class Generator {
  /** `ids`: what is in the hub, by the path of its list: {'/api/v1/users': 'an id'}. */
  constructor(document, { seed, ids = {} }) {
    Object.assign(this, { document, ids, random: randomOf(seed) });
  }

  pick(list) { return list[Math.floor(this.random() * list.length)]; }

  resolve(part) {
    if (!part?.$ref) return part ?? {};
    return this.resolve(part.$ref.slice(2).split('/').reduce((at, step) => at[step], this.document));
  }

  /** The words for the types that a schema takes. */
  typesOf(schema) {
    const real = this.resolve(schema);
    const choices = real.oneOf ?? real.anyOf;
    if (choices) return choices.flatMap((one) => this.typesOf(one));
    if (real.type) return [real.type].flat();
    if ('const' in real) return [real.const === null ? 'null' : typeof real.const];
    return real.enum ? [...new Set(real.enum.map((one) => (one === null ? 'null' : typeof one)))] : Object.keys(values);
  }

  text(schema) {
    if (schema.examples) return this.pick(schema.examples);
    if (schema.format === 'date-time') return '2026-11-20T10:15:30.123Z';
    if (schema.pattern === '^https://') return 'https://example.com/x.png';
    const least = schema.minLength ?? 0;
    return this.pick(['a', 'Ann Lee', 'Ünï 👍', 'hello world']).padEnd(least, 'x').slice(0, Math.max(schema.maxLength ?? 100, least));
  }

  /** A value of the schema's shape. */
  valid(schema, depth = 0) {
    const real = this.resolve(schema);
    if ('const' in real) return real.const;
    if (real.enum) return this.pick(real.enum);
    const choices = real.oneOf ?? real.anyOf;
    if (choices) return this.valid(this.pick(choices), depth);
    const type = this.pick([real.type ?? 'object'].flat());
    if (type === 'null') return null;
    if (type === 'boolean') return this.random() < 0.5;
    if (type === 'integer' || type === 'number') return (real.minimum ?? 0) + Math.floor(this.random() * 3);
    if (type === 'array') return Array.from({ length: Math.max(real.minItems ?? 0, Math.floor(this.random() * 3)) }, () => this.valid(real.items ?? {}, depth + 1));
    if (type === 'string') return this.text(real);
    if (depth > 5) return {};
    const members = Object.entries(real.properties ?? {}).filter(([name]) => real.required?.includes(name) || this.random() < 0.5);
    return Object.fromEntries(members.map(([name, one]) => [name, this.valid(one, depth + 1)]));
  }

  /** Values that break a limit of the schema. */
  outside(schema) {
    const real = this.resolve(schema);
    const found = [];
    if (real.enum) found.push('none of these', '');
    if (real.maxLength) found.push('x'.repeat(real.maxLength + 1));
    if (real.minLength) found.push('');
    // From 10,000 on the body is refused as a whole, at its 10,001st member (S32).
    if (real.maxItems < 10_000) found.push(Array.from({ length: real.maxItems + 1 }, () => this.valid(real.items ?? {})));
    if ('minimum' in real) found.push(real.minimum - 1);
    if ('maximum' in real) found.push(real.maximum + 1);
    if (real.items) found.push(this.typesOf(real.items).includes('string') ? [7] : ['words']);
    if (real.pattern === '^https://') found.push('ftp://x');
    return found;
  }

  *bodyCases(base, schema, isRequired) {
    const fine = () => {
      const body = this.valid(schema);
      for (const name of real.required ?? []) if (body[name] === null) delete body[name];
      return body;
    };
    const real = this.resolve(schema);
    const properties = Object.entries(real.properties ?? {});
    for (let i = 0; i < 6; i += 1) yield { ...base, what: 'as described', body: fine() };
    for (const name of real.required ?? []) {
      const body = fine();
      delete body[name];
      yield { ...base, what: `without ${name}`, body, expect: { pointer: `/${name}` } };
    }
    for (const [name, one] of properties) {
      const types = this.typesOf(one);
      for (const [type, value] of Object.entries(values)) {
        const fits = types.includes(type) || (type === 'integer' && types.includes('number'));
        const expect = fits ? {} : { pointer: `/${name}` };
        if (!fits || type === 'null') yield { ...base, what: `${name} is ${type}`, body: { ...fine(), [name]: value }, expect };
      }
      for (const value of this.outside(one)) yield { ...base, what: `${name} is beyond its limits`, body: { ...fine(), [name]: value }, expect: { pointer: `/${name}` } };
      if (types.includes('string')) yield { ...base, what: `${name} is odd`, body: { ...fine(), [name]: this.pick(oddTexts) } };
      if (types.includes('string')) yield { ...base, what: `${name} is odd`, body: { ...fine(), [name]: this.pick(oddTexts) } };
      const inner = this.resolve((this.resolve(one).oneOf ?? [one])[0]);
      if (inner.additionalProperties === false) {
        yield { ...base, what: `${name} has an unknown member`, body: { ...fine(), [name]: { ...this.valid(inner), zz: 1 } }, expect: { pointer: `/${name}/zz`, code: 'unknown_field' } };
      }
    }
    if (real.additionalProperties === false) {
      for (const value of [1, null, 'x', {}, []]) yield { ...base, what: 'an unknown field (S33)', body: { ...fine(), zz_unknown: value }, expect: { pointer: '/zz_unknown', code: 'unknown_field' } };
    }
    for (const [what, raw] of Object.entries(brokenBodies)) yield { ...base, what: `the body is ${what}`, raw, expect: { statuses: [400, 422] } };
    for (const type of wrongTypes) yield { ...base, what: `of type "${type}"`, body: fine(), headers: { ...base.headers, 'content-type': type }, expect: { statuses: [415] } };
    yield { ...base, what: 'encoded', body: fine(), headers: { ...base.headers, 'content-encoding': 'gzip' }, expect: { statuses: [415] } };
    yield { ...base, what: 'with no body', raw: '', expect: isRequired ? { refused: true } : {} };
  }

  *queryCases(base, keys) {
    if (base.target.startsWith('/api/v1/')) yield { ...base, what: 'an unknown query key', target: `${base.target}?zz=1`, expect: { pointer: '?zz', statuses: [400] } };
    for (const { name, schema } of keys) {
      const good = encodeURIComponent(String(this.valid(schema)));
      yield { ...base, what: `?${name} twice`, target: `${base.target}?${name}=${good}&${name}=${good}`, expect: { pointer: `?${name}`, statuses: [400] } };
      for (const value of oddQueries) yield { ...base, what: `?${name} is odd`, target: `${base.target}?${name}=${value}` };
      for (const value of this.outside(schema)) {
        if (typeof value === 'number') yield { ...base, what: `?${name} is beyond its limits`, target: `${base.target}?${name}=${value}`, expect: { pointer: `?${name}`, statuses: [400] } };
      }
      if (name !== 'cursor') yield { ...base, what: `?${name} as described`, target: `${base.target}?${name}=${good}`, expect: { never: ['unknown_parameter'] } };
    }
  }

  /** The list that an item's path belongs to: /api/v1/users of /api/v1/users/{id}/token. */
  knownTarget(path) {
    const list = path.slice(0, path.indexOf('/{'));
    return this.ids[list] && path.replace(/\{[^}]+\}/, encodeURIComponent(this.ids[list]));
  }

  *operationCases(path, verb, operation) {
    const method = verb.toUpperCase();
    const parameters = (operation.parameters ?? []).map((one) => this.resolve(one));
    const hasId = parameters.some((one) => one.in === 'path');
    const known = hasId ? this.knownTarget(path) : path;
    const media = operation.requestBody?.content?.['application/json'];
    const base = { operation: operation.operationId, method, target: known ?? path.replace(/\{[^}]+\}/g, 'none'), reachable: Boolean(known), isPublic: operation.security.length === 0 };
    if (!base.isPublic) yield { ...base, what: 'nobody signed in', role: null, ...(media ? { body: {} } : {}), expect: { statuses: [401] } };
    if (operation['x-roles'].includes('local')) return;  // Nobody who signs in gets as far as its fields.
    if (hasId) for (const id of oddIds) yield { ...base, what: 'an odd id', target: path.replace(/\{[^}]+\}/g, id), ...(media ? { body: this.valid(media.schema) } : {}), reachable: false };
    yield* this.queryCases({ ...base, ...(media ? { body: {} } : {}) }, parameters.filter((one) => one.in === 'query'));
    if (media) yield* this.bodyCases(base, media.schema, operation.requestBody.required);
    else yield { ...base, what: 'as described' };
    yield { ...base, what: 'with a last slash (X25)', target: `${base.target}/`, ...(media ? { body: this.valid(media.schema) } : {}), expect: { never: ['unknown_path', 'method_not_allowed'] } };
    if (parameters.some((one) => one.name === 'Idempotency-Key')) {
      for (const key of ['', ' ', 'ß', 'x'.repeat(256)]) yield { ...base, what: 'an odd Idempotency-Key', ...(media ? { body: {} } : {}), headers: { 'idempotency-key': Buffer.from(key).toString('latin1') }, expect: key.trim() ? { refused: true } : {} };
    }
  }

  /** Every case of every operation that `wanted` admits. */
  *cases(wanted = () => true) {
    for (const [path, item] of Object.entries(this.document.paths)) {
      if (!wanted(path)) continue;
      for (const [verb, operation] of Object.entries(item)) yield* this.operationCases(path, verb, operation);
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        if (!(method.toLowerCase() in item)) yield { operation: path, what: `no ${method} here`, method, target: path.replace(/\{[^}]+\}/g, 'x'), expect: { statuses: [405, 404] } };
      }
    }
  }
}
