import { describe, expect, it } from 'vitest';
import { checkpointShape, configJson } from '../../../../test/random-checkpoint.js';
import { CheckpointError, parseCheckpointConfig } from './checkpoint-config.js';

const sluice = (changes: object = {}, section: object = {}): unknown => {
  const config = configJson(checkpointShape());
  return { ...config, ...changes, sluice: { ...Object(config['sluice']), ...section } };
};
describe('parseCheckpointConfig', () => {
  it('reads the layout of Sluice, exits in the order of their layers', () => {
    const exits = [
      { layer: 3, kind: 'pooler' },
      { layer: 0, kind: 'fastbert', size: 16, heads: 2 },
    ];
    expect(parseCheckpointConfig('c', sluice({}, { exits }))).toMatchObject({
      geometry: { hiddenSize: 32, layers: 3, heads: 4, segments: 2, layerNormEps: 1e-12 },
      labels: ['class-0', 'class-1', 'class-2'],
      task: 'single',
      specialTokens: 'cls-sep',
      exits: exits.toReversed(),
    });
  });

  it.each<[string, unknown, RegExp]>([
    ['another model', sluice({ model_type: 'roberta' }), /model_type/],
    ['another activation', sluice({ hidden_act: 'mish' }), /hidden_act/],
    ['relative positions', sluice({ position_embedding_type: 'relative_key' }), /position_embedding_type/],
    ['heads that do not divide the width', sluice({ num_attention_heads: 5 }), /32 cannot be divided into 5/],
    ['no width', sluice({ hidden_size: undefined }), /hidden_size/],
    [
      'a text longer than the positions',
      sluice({}, { maxLength: 131 }),
      /maxLength is 131, .* 130 positions/,
    ],
    ['one label', sluice({}, { labels: ['only'] }), /labels: a single-label model needs at least 2; got 1/],
    ['a label twice', sluice({}, { labels: ['a', 'b', 'a'] }), /listed twice/],
    ['an unknown kind of exit', sluice({}, { exits: [{ layer: 3, kind: 'mlp' }] }), /kind/],
    [
      'an exit beyond the last layer',
      sluice({}, { exits: [{ layer: 4, kind: 'pooler' }] }),
      /exit 4 .* beyond/,
    ],
    [
      'two exits after one layer',
      sluice({}, { exits: [3, 3].map((layer) => ({ layer, kind: 'pooler' })) }),
      /exit 3 is listed twice/,
    ],
    ['no teacher', sluice({}, { exits: [{ layer: 2, kind: 'pooler' }] }), /last layer, 3, needs an exit/],
    [
      'exit heads that do not divide its width',
      sluice({}, { exits: [{ layer: 3, kind: 'fastbert', size: 10, heads: 4 }] }),
      /exit 3: size 10 cannot be divided into 4 heads/,
    ],
    ['no object', [], /not the config of a checkpoint/],
  ])('refuses %s', (_, json, message) => {
    const parse = (): unknown => parseCheckpointConfig('dir/config.json', json);
    expect(parse).toThrow(CheckpointError);
    expect(parse).toThrow(message);
    expect(parse).toThrow(/^dir\/config\.json: /);
  });
});
