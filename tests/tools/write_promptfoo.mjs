// Evaluates with promptfoo and prints what its own `evaluate` says of it.
//
// A script for an environment that has promptfoo: `write_promptfoo.mjs FOLDER` leaves
// `FOLDER/results.json`, as promptfoo itself exports it, and `FOLDER/results.jsonl` where it knows
// JSON Lines. Its provider `echo` answers with the prompt.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
Object.assign(process.env, {
  PROMPTFOO_CONFIG_DIR: join(folder, 'config'),
  PROMPTFOO_DISABLE_TELEMETRY: '1',
  PROMPTFOO_DISABLE_UPDATE: '1',
  PROMPTFOO_DISABLE_REMOTE_GENERATION: '1',
});
const module = await import('promptfoo');
const promptfoo = module.default ?? module;

const { version } = JSON.parse(readFileSync('node_modules/promptfoo/package.json', 'utf8'));
const outputs = version.startsWith('0.91.') ? ['results.json'] : ['results.json', 'results.jsonl'];

const suite = {
  description: 'Échos',
  providers: ['echo', { id: 'echo', label: 'second', config: { temperature: 0.5 } }],
  prompts: ['Say {{word}}', 'Shout {{word}}! {{more}}'],
  tests: [
    { vars: { word: 'one', more: 'x' }, assert: [{ type: 'equals', value: 'Say {{word}}' }] },
    {
      vars: { word: 'twö', more: 'y' },
      assert: [
        {
          type: 'assert-set',
          assert: [
            { type: 'contains', value: 'twö', weight: 3 },
            { type: 'icontains', value: 'SHOUT', weight: 1 },
          ],
        },
      ],
    },
    { vars: { word: 'three', more: '' } },
    { vars: { word: 'four' }, assert: [{ type: 'javascript', value: 'unknown.name' }] },
  ],
  outputPath: outputs.map((name) => join(folder, name)),
  writeLatestResults: true,
};
const options = { repeat: 2, maxConcurrency: 1, cache: false, showProgressBar: false };

const found = await promptfoo.evaluate(suite, options);
const summary = found.toEvaluateSummary ? await found.toEvaluateSummary() : found;
const prompts = summary.prompts ?? found.prompts ?? summary.table.head.prompts;
const told = {
  version: summary.version,
  stats: summary.stats,
  prompts: prompts.map((one) => ({
    raw: one.raw,
    label: one.label,
    provider: one.provider,
    passed: one.metrics.testPassCount,
    failed: one.metrics.testFailCount,
    errors: one.metrics.testErrorCount ?? 0,
    score: one.metrics.score,
  })),
  results: summary.results.map((one) => ({
    prompt: one.prompt.raw,
    label: one.prompt.label,
    provider: one.provider.label || one.provider.id,
    vars: one.vars,
    output: one.response?.output ?? null,
    score: one.score,
    success: one.success,
  })),
};
process.stdout.write(`\n${JSON.stringify(told)}\n`, () => process.exit(0));
