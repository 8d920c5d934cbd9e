// Runs a page of the documentation as it stands: tests/outsiders/page.mjs PAGE PREFIX SCRATCH
//
//   ```sh     run by one bash, in the folder SCRATCH, with PREFIX/bin in PATH; each command has to succeed.
//             After a paragraph with the words "second terminal" it goes on running there.
//   ```text   what the commands above print; after such a paragraph, what that terminal shows. A line of ... stands for any lines, … for anything within a line.
//   ```cpp    is part of the file that the paragraph above names last, in backticks.
//   ```diff   changes that file.
//   other     is written to that file.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const [page, prefix, scratch] = process.argv.slice(2);
const stepSeconds = 300;

/** The fenced blocks: {kind, text, above, line}. */
function blocksOf(text) {
  const blocks = [];
  let paragraph = '';
  let block = null;
  text.split('\n').forEach((line, index) => {
    if (block) {
      if (line.trim() === '```') { blocks.push(block); block = null; } else block.text += `${line}\n`;
    } else if (line.startsWith('```')) {
      block = { kind: line.slice(3).trim(), text: '', above: paragraph, line: index + 2 };
      paragraph = '';
    } else if (line.trim() !== '') paragraph = `${paragraph} ${line}`;
    else if (!paragraph.trimEnd().endsWith(':')) paragraph = '';
  });
  return blocks;
}

function fileOf(block) {
  const names = [...block.above.matchAll(/`([^`\s]+\.[a-z]+|[^`\s]+\/[^`\s]+)`/g)];
  assert.ok(names.length > 0, `line ${block.line}: no file is named above the block`);
  return path.join(scratch, names.at(-1)[1]);
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function patternOf(expected) {
  const lines = expected.trimEnd().split('\n').map((line) => (line.trim() === '...' ? '[\\s\\S]*?' : escaped(line.trimEnd()).replaceAll('…', '.*') + ' *\\n'));
  return new RegExp(`(^|\\n)${lines.join('')}`);
}

class Terminal {
  output = '';

  constructor() {
    const environment = { ...process.env, PATH: `${prefix}/bin:${process.env.PATH}`, CMAKE_PREFIX_PATH: prefix, LC_ALL: 'C.UTF-8' };
    delete environment.PATCHBAY_BUILD;
    // A group of its own, so that what it started ends with it.
    this.shell = spawn('bash', ['-euo', 'pipefail'], { cwd: scratch, env: environment, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    for (const stream of [this.shell.stdout, this.shell.stderr]) stream.on('data', (data) => { this.output += data; });
    this.shell.on('exit', () => { this.ended = true; });
  }

  start(commands) { this.shell.stdin.write(commands); }

  async run(commands) {
    this.output = '';
    this.start(`${commands}\nprintf '\\n@done@\\n'\n`);
    await this.waitFor(/\n@done@\n$/);
    this.output = this.output.replace(/\n@done@\n$/, '\n').replace(/\n\n$/, '\n');
  }

  async waitFor(pattern) {
    const end = Date.now() + stepSeconds * 1000;
    while (!pattern.test(this.output)) {
      if (this.ended || Date.now() > end) throw new Error(`${this.ended ? 'a command failed' : 'no end'}; it printed:\n${this.output}`);
      await new Promise((go) => { setTimeout(go, 20); });
    }
  }

  close() { try { process.kill(-this.shell.pid, 'SIGTERM'); } catch { /* It has ended. */ } }
}

/** Lines with a blank and - are there, once; lines with a blank and + replace them. */
function apply(block) {
  const file = fileOf(block);
  const lines = block.text.trimEnd().split('\n');
  const side = (mark) => lines.filter((line) => line[0] === ' ' || line[0] === mark).map((line) => `${line.slice(1)}\n`).join('');
  const parts = fs.readFileSync(file, 'utf8').split(side('-'));
  assert.equal(parts.length, 2, `${file} has ${parts.length - 1} places for this change`);
  fs.writeFileSync(file, parts.join(side('+')));
}

async function runPage(blocks, terminals) {
  let last = terminals[0];
  for (const block of blocks) {
    try {
      if (block.kind === 'sh' && block.above.includes('second terminal')) {
        terminals.push(last = new Terminal());
        last.start(block.text);
      } else if (block.kind === 'sh') {
        [last] = terminals;
        await last.run(block.text);
      } else if (block.kind === 'text' && block.above.includes('second terminal')) await terminals.at(-1).waitFor(patternOf(block.text));
      else if (block.kind === 'text' && last !== terminals[0]) await last.waitFor(patternOf(block.text));
      else if (block.kind === 'text') assert.match(last.output, patternOf(block.text));
      else if (block.kind === 'cpp') {
        assert.ok(fs.readFileSync(fileOf(block), 'utf8').includes(block.text), `${fileOf(block)} does not contain this code as it is`);
      } else if (block.kind === 'diff') apply(block);
      else fs.writeFileSync(fileOf(block), block.text);
    } catch (error) {
      throw new Error(`${page}:${block.line}: ${error.message}`);
    }
  }
}

fs.mkdirSync(scratch, { recursive: true });
const blocks = blocksOf(fs.readFileSync(page, 'utf8'));
const terminals = [new Terminal()];
try {
  await runPage(blocks, terminals);
  console.log(`${page}: ${blocks.length} blocks`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  for (const terminal of terminals) terminal.close();
}
