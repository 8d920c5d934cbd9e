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
    // The parser makes one series of all that a histogram has. Without their types, the parts of histograms are families of their own.
    const parts = body.split('\n').filter((line) => !/^# (HELP|TYPE) /.test(line)).join('\n');
    this.parts = new Map();
    for (const { name, metrics } of parse(parts)) this.parts.set(name, [...this.parts.get(name) ?? [], ...metrics]);
  }

  /** All series of a family; of a histogram those of its part `_count`, `_sum` or `_bucket`. */
  samples(name, part = '_count') {
    const family = this.families.get(name);
    if (!family) throw new Error(`no family ${name}`);
    if (family.type !== 'HISTOGRAM') return family.metrics;
    return this.parts.get(name + part) ?? [];
  }

  /** The sum over all series that have these labels; of a histogram their counts. */
  value(name, labels = {}) {
    return this.samples(name)
      .filter((one) => Object.entries(labels).every(([key, value]) => one.labels?.[key] === value))
      .reduce((sum, one) => sum + Number(one.value), 0);
  }

  /** Every set of label names that a family's series have: one, if all is well. */
  labelNames(name) {
    return [...new Set(this.samples(name).map((one) => Object.keys(one.labels ?? {}).sort().join()))];
  }
}
