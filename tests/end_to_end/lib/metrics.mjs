// What /metrics says, as a parser reads it that nobody here wrote.
import { createRequire } from 'node:module';
import path from 'node:path';

import { send } from './http.mjs';
import { npmCache } from './places.mjs';

const parse = createRequire(path.join(npmCache, 'prometheus/package.json'))('parse-prometheus-text-format');

export class Metrics {
  static async of(hub, options) {
    const answer = await send(hub.url, '/metrics', options);
    if (answer.status !== 200) throw new Error(`GET /metrics: ${answer.status} ${answer.body}`);
    return new Metrics(answer);
  }

  constructor({ headers, body }) {
    this.text = body;
    this.contentType = headers['content-type'];
    this.families = new Map(parse(body).map((family) => [family.name, family]));
  }

  samples(name) {
    const family = this.families.get(name);
    if (!family) throw new Error(`no family ${name}`);
    return family.metrics;
  }

  /** The sum over all series that have these labels; of a histogram its count. */
  value(name, labels = {}) {
    return this.samples(name)
      .filter((one) => Object.entries(labels).every(([key, value]) => one.labels?.[key] === value))
      .reduce((sum, one) => sum + Number(one.value ?? one.count), 0);
  }

  /** Every set of label names that a family's series have: one, if all is well. */
  labelNames(name) {
    return [...new Set(this.samples(name).map((one) => Object.keys(one.labels ?? {}).sort().join()))];
  }
}
