// Shows /api/v1/openapi.json and sends requests by hand. Builds elements, never HTML text, so that nothing in the description can run.

const page = { document: null, token: () => document.getElementById('token').value.trim() };

/** make('p.quiet', {title: 'x'}, 'text', element, ...) */
function make(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElement(tag);
  element.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function resolve(part) {
  if (!part?.$ref) return part ?? {};
  return resolve(part.$ref.slice(2).split('/').reduce((at, step) => at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], page.document));
}

const refName = (schema) => schema?.$ref?.split('/').pop();

// ---------- schemas ----------

const limits = { minLength: '≥ %s characters', maxLength: '≤ %s characters', minimum: '≥ %s', maximum: '≤ %s', minItems: '≥ %s items', maxItems: '≤ %s items' };

function typeText(schema) {
  const real = resolve(schema);
  if ('const' in real) return JSON.stringify(real.const);
  if (real.enum) return real.enum.map((one) => JSON.stringify(one)).join(' | ');
  const choices = real.oneOf ?? real.anyOf;
  if (choices) return choices.map(typeText).join(' or ');
  const types = [real.type ?? 'anything'].flat();
  const text = types.map((type) => (type === 'array' ? `array of ${typeText(real.items ?? {})}` : type)).join(' or ');
  return refName(schema) && types.includes('object') ? `${refName(schema)}` : text;
}

function notes(schema) {
  const real = resolve(schema);
  const parts = Object.entries(limits).filter(([key]) => key in real).map(([key, text]) => text.replace('%s', real[key]));
  if (real.format) parts.push(real.format);
  if ('default' in real) parts.push(`default ${JSON.stringify(real.default)}`);
  return [real.description, parts.join(', ')].filter(Boolean).join(' — ');
}

/** What is inside a schema: the object's members, of an array's items or of one choice. */
function inside(schema) {
  const real = resolve(schema);
  if (real.allOf) return { properties: Object.assign({}, ...real.allOf.map((one) => inside(one).properties)), required: real.allOf.flatMap((one) => inside(one).required) };
  const choice = (real.oneOf ?? real.anyOf)?.find((one) => resolve(one).type !== 'null');
  if (choice) return inside(choice);
  if (real.items) return inside(real.items);
  return { properties: real.properties ?? {}, required: real.required ?? [] };
}

function schemaList(schema, seen = []) {
  const { properties, required } = inside(schema);
  if (Object.keys(properties).length === 0 || seen.length > 6) return null;
  const list = make('ul.schema');
  for (const [name, member] of Object.entries(properties)) {
    const named = refName(member) ?? refName(member.items);
    const below = named && seen.includes(named) ? null : schemaList(member, [...seen, named]);
    const note = notes(member);
    list.append(make('li', {}, make('span.name', {}, name), ' ', make('span.type', {}, typeText(member)),
      required.includes(name) ? make('span.must', {}, ' required') : null, note ? make('span.quiet', {}, ` ${note}`) : null, below));
  }
  return list;
}

/** A value to begin with: what is required, and what has an example. */
function example(schema, depth = 0) {
  const real = resolve(schema);
  if (real.examples) return real.examples[0];
  if ('const' in real) return real.const;
  if (real.enum) return real.enum[0];
  const choices = real.oneOf ?? real.anyOf;
  if (choices) return example(choices[0], depth);
  const type = [real.type].flat()[0];
  if (type === 'array') return [];
  if (type === 'integer' || type === 'number') return real.minimum ?? 0;
  if (type === 'boolean') return false;
  if (type !== 'object') return '';
  const members = Object.entries(real.properties ?? {}).filter(([name, one]) => real.required?.includes(name) || resolve(one).examples);
  return Object.fromEntries(depth > 4 ? [] : members.map(([name, one]) => [name, example(one, depth + 1)]));
}

// ---------- one operation ----------

const codesOf = (schema) => (resolve(schema).allOf ?? []).flatMap((one) => one.properties?.code?.enum ?? []);

function answerOf(status, response) {
  const real = resolve(response);
  const [type, media] = Object.entries(real.content ?? {})[0] ?? [];
  const problem = real.content?.['application/problem+json'];
  const codes = problem ? codesOf(problem.schema) : [];
  const links = codes.flatMap((code, i) => [i ? ', ' : '', make('a', { href: `/docs/errors/${code}` }, code)]);
  const head = make('summary', {}, make('strong', {}, status), ' ', make('span.quiet', {}, real.description));
  const body = !media ? make('p.quiet', {}, 'No body.') : make('div', {}, make('p.quiet', {}, type, refName(media.schema) ? ` — ${refName(media.schema)}` : ''), schemaList(media.schema));
  return make('details.answer', {}, head, codes.length ? make('p', {}, ...links) : null, type === 'application/problem+json' && codes.length ? null : body);
}

function parameterOf(parameter) {
  const real = resolve(parameter);
  const note = [real.description, notes(real.schema)].filter(Boolean).join(' — ');
  return make('li', {}, make('span.name', {}, real.name), ' ', make('span.type', {}, `${real.in}, ${typeText(real.schema)}`),
    real.required ? make('span.must', {}, ' required') : null, note ? make('span.quiet', {}, ` ${note}`) : null);
}

async function sendRequest(method, path, fields, body, type) {
  const value = (where) => fields.filter((field) => field.in === where && field.input.value !== '');
  const target = fields.filter((field) => field.in === 'path').reduce((at, field) => at.replace(`{${field.name}}`, encodeURIComponent(field.input.value)), path);
  const query = new URLSearchParams(value('query').map((field) => [field.name, field.input.value])).toString();
  const headers = Object.fromEntries(value('header').map((field) => [field.name, field.input.value]));
  if (page.token()) headers.authorization = `Bearer ${page.token()}`;
  if (body) headers['content-type'] = type;
  const began = performance.now();
  // Only what stands in the token's field signs in: a cookie would act as somebody whom the page does not show.
  const response = await fetch(target + (query ? `?${query}` : ''), { method, headers, body: body || undefined, credentials: 'omit' });
  const text = await response.text();
  let shown = text;
  try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
  const ms = Math.round(performance.now() - began);
  return `${response.status} ${response.statusText}   ${ms} ms   ${response.headers.get('x-request-id') ?? ''}\n\n${shown}`;
}

function tryIt(method, path, operation) {
  const fields = (operation.parameters ?? []).map(resolve).map((one) => ({ ...one, input: make('input', { autocomplete: 'off', name: one.name, ...(one.required ? { required: '' } : {}) }) }));
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  const body = media ? make('textarea', { spellcheck: 'false', 'aria-label': 'Body' }) : null;
  if (body) body.value = JSON.stringify(example(media.schema), null, 2);
  const result = make('pre', { hidden: '', 'aria-live': 'polite' });
  const form = make('form', {}, make('h3', {}, 'Try it'),
    ...fields.map((field) => make('label', {}, make('span.name', {}, field.name), ' ', field.input)), body, make('button', {}, `Send ${method}`), result);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    result.hidden = false;
    result.textContent = '…';
    result.textContent = await sendRequest(method, path, fields, body?.value, type).catch((error) => `No answer: ${error.message}`);
  });
  return form;
}

function contentOf(method, path, operation) {
  const media = Object.entries(operation.requestBody?.content ?? {})[0];
  return make('div', {},
    make('p.quiet', {}, `${operation.operationId} — who: ${operation['x-roles'].join(', ')}`),
    operation.parameters ? make('div', {}, make('h3', {}, 'Parameters'), make('ul.schema', {}, ...operation.parameters.map(parameterOf))) : null,
    media ? make('div', {}, make('h3', {}, 'Body'), make('p.quiet', {}, media[0], ' — ', refName(media[1].schema) ?? '', ' ', resolve(media[1].schema).description ?? ''), schemaList(media[1].schema)) : null,
    make('h3', {}, 'Answers'), ...Object.entries(operation.responses).map(([status, response]) => answerOf(status, response)),
    tryIt(method, path, operation));
}

function cardOf({ method, path, operation }) {
  const verb = method.toLowerCase();
  const card = make('details.operation', { id: operation.operationId },
    make('summary', {}, make(`span.verb.${verb}`, {}, method), make('span.path', {}, path), make('span.quiet', {}, operation.summary)));
  // Filled when it is first opened: there are many.
  card.addEventListener('toggle', () => { if (card.open && !card.querySelector(':scope > div')) card.append(contentOf(method, path, operation)); });
  return card;
}

// ---------- the page ----------

function operationsOf(description) {
  return Object.entries(description.paths).flatMap(([path, item]) => Object.entries(item).map(([verb, operation]) => ({ method: verb.toUpperCase(), path, operation })));
}

/** All words by which an operation is found, the names of its fields included. */
function wordsOf({ method, path, operation }) {
  const bodies = Object.values(operation.requestBody?.content ?? {}).map((media) => Object.keys(inside(media.schema).properties));
  const parameters = (operation.parameters ?? []).map((one) => resolve(one).name);
  return [method, path, operation.operationId, operation.summary, ...parameters, ...bodies.flat()].join(' ').toLowerCase();
}

function open(id) {
  const card = id && document.getElementById(id);
  if (!card) return;
  card.open = true;
  card.scrollIntoView();
}

function show(description) {
  page.document = description;
  document.getElementById('version').textContent = description.info.version;
  const main = document.getElementById('operations');
  const index = document.getElementById('index');
  main.replaceChildren(make('p.quiet', {}, description.info.description));
  const entries = operationsOf(description).map((one) => {
    const link = make('a', { href: `#${one.operation.operationId}` }, make(`span.verb.${one.method.toLowerCase()}`, {}, one.method), make('span', {}, one.path.replace('/api/v1', '').replaceAll('/', '/\u200b')));
    link.addEventListener('click', () => open(one.operation.operationId));
    return { tag: one.operation.tags[0], card: cardOf(one), link, words: wordsOf(one) };
  });
  const groups = entries.reduce((all, one) => all.set(one.tag, [...(all.get(one.tag) ?? []), one]), new Map());
  for (const [tag, members] of groups) {
    index.append(make('h2', {}, tag), ...members.map((one) => one.link));
    main.append(make('h2', {}, tag), ...members.map((one) => one.card));
  }
  document.getElementById('search').addEventListener('input', ({ target }) => {
    const wanted = target.value.toLowerCase().split(/\s+/);
    for (const one of entries) one.card.hidden = one.link.hidden = !wanted.every((word) => one.words.includes(word));
    for (const title of document.querySelectorAll('main h2, nav h2')) {
      let next = title.nextElementSibling;
      while (next?.hidden) next = next.nextElementSibling;
      title.hidden = !next || next.tagName === 'H2';
    }
  });
  open(decodeURIComponent(location.hash.slice(1)));
}

fetch('/api/v1/openapi.json', { credentials: 'omit' }).then((response) => response.json()).then(show)
  .catch((error) => document.getElementById('operations').replaceChildren(make('p', {}, `The description could not be read: ${error.message}`)));
