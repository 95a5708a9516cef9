// Evaluates with promptfoo and prints what its own `evaluate` says of it.
//
// A script for an environment that has promptfoo: `write_promptfoo.mjs FOLDER` leaves
// `FOLDER/results.json`, as promptfoo itself exports it. The provider `echo` answers with the prompt.

import { join } from 'node:path';
import * as module from 'promptfoo';

const folder = process.argv[2];
const promptfoo = module.default ?? module;

const suite = {
  description: 'Échos',
  providers: ['echo', { id: 'echo', label: 'second', config: { temperature: 0.5 } }],
  prompts: [
    { raw: 'Say {{word}}', label: 'plain' },
    { raw: 'Shout {{word}}! {{more}}', label: 'loud' },
  ],
  tests: [
    { vars: { word: 'one', more: 'x' }, assert: [{ type: 'equals', value: 'Say one' }] },
    {
      vars: { word: 'twö', more: 'y' },
      assert: [
        { type: 'contains', value: 'twö', weight: 3 },
        { type: 'icontains', value: 'SHOUT', weight: 1 },
      ],
    },
    { vars: { word: 'three', more: '' } },
    { vars: { word: 'four' }, assert: [{ type: 'javascript', value: 'unknown.name' }] },
  ],
  outputPath: join(folder, 'results.json'),
  writeLatestResults: false,
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
