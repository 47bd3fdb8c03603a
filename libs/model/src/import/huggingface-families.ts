import type { TensorSource } from '../checkpoint/tensor-source.js';

/** A kind of encoder of Hugging Face's transformers, and how its checkpoints differ from BERT's. */
export interface Family {
  /** `model_type` in the configuration. */
  readonly modelType: string;
  readonly title: string;
  /** Of the encoder's tensors; a bare encoder is saved without it. */
  readonly prefix: string;
  /** Keys of its configuration, by those of BERT's that mean the same. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Positions count from behind the padding token's id, so that the first rows of their table are not used. */
  readonly positionsBehindPadding: boolean;
  /** All texts, the second of a pair too, are of segment 0; `none`: there is no table of segments. */
  readonly segments: 'all' | 'first' | 'none';
  /** The sequence-classification head's two linear maps, and what lies between them. */
  readonly head: {
    readonly pooler: readonly string[];
    readonly logits: string;
    readonly activation: 'tanh' | 'gelu' | 'relu';
  };
  /** Parts of its tensors' names, by those of BERT's. */
  readonly parts?: readonly (readonly [RegExp, string])[];
}

const bert = {
  modelType: 'bert',
  title: 'BERT',
  prefix: 'bert.',
  positionsBehindPadding: false,
  segments: 'all',
  head: { pooler: ['bert.pooler.dense', 'pooler.dense'], logits: 'classifier', activation: 'tanh' },
} as const satisfies Family;

const roberta = {
  modelType: 'roberta',
  title: 'RoBERTa',
  prefix: 'roberta.',
  positionsBehindPadding: true,
  segments: 'first',
  head: { pooler: ['classifier.dense'], logits: 'classifier.out_proj', activation: 'tanh' },
} as const satisfies Family;

export const families: readonly Family[] = [
  bert,
  roberta,
  { ...roberta, modelType: 'xlm-roberta', title: 'XLM-RoBERTa' },
  { ...roberta, modelType: 'camembert', title: 'CamemBERT' },
  {
    modelType: 'distilbert',
    title: 'DistilBERT',
    prefix: 'distilbert.',
    keys: {
      hidden_size: 'dim',
      num_hidden_layers: 'n_layers',
      num_attention_heads: 'n_heads',
      intermediate_size: 'hidden_dim',
      hidden_act: 'activation',
    },
    positionsBehindPadding: false,
    segments: 'none',
    head: { pooler: ['pre_classifier'], logits: 'classifier', activation: 'relu' },
    parts: [
      [/^encoder\.layer/, 'transformer.layer'],
      [/attention\.self\.query/, 'attention.q_lin'],
      [/attention\.self\.key/, 'attention.k_lin'],
      [/attention\.self\.value/, 'attention.v_lin'],
      [/attention\.output\.dense/, 'attention.out_lin'],
      [/attention\.output\.LayerNorm/, 'sa_layer_norm'],
      [/intermediate\.dense/, 'ffn.lin1'],
      [/(\d)\.output\.dense/, '$1.ffn.lin2'],
      [/(\d)\.output\.LayerNorm/, '$1.output_layer_norm'],
    ],
  },
  {
    ...bert,
    modelType: 'electra',
    title: 'ELECTRA',
    prefix: 'electra.',
    head: { pooler: ['classifier.dense'], logits: 'classifier.out_proj', activation: 'gelu' },
  },
  {
    ...bert,
    modelType: 'ernie',
    title: 'ERNIE',
    prefix: 'ernie.',
    head: { ...bert.head, pooler: ['ernie.pooler.dense', 'pooler.dense'] },
  },
];

/** The family whose encoder the tensors are of, for a configuration that does not say; BERT where the names do not either. */
export function familyOfTensors(tensors: TensorSource): Family {
  const found = families.find(
    ({ prefix }) => tensors.shape(`${prefix}embeddings.word_embeddings.weight`) !== undefined,
  );
  return found ?? bert;
}

/** Names that a tensor of the encoder may have, from its name in the checkpoint layout without `bert.`. */
export function encoderNames({ prefix, parts = [] }: Family, name: string): string[] {
  const own = parts.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), name);
  return [`${prefix}${own}`, own].flatMap((each) => [each, olderName(each)]);
}

/** LayerNorm's tensors of older checkpoints. */
function olderName(name: string): string {
  return name.replace(/LayerNorm\.weight$/, 'LayerNorm.gamma').replace(/LayerNorm\.bias$/, 'LayerNorm.beta');
}
