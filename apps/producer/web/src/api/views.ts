/** What the API answers, where no library has it. */
/** Who asks, and what that allows. */
export interface Session {
  readonly id: string;
  readonly scope: 'read' | 'submit' | 'admin';
}

interface Share {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** Of `sluice evaluate --json`, what is shown. */
export interface Evaluation {
  readonly layers: number;
  readonly policies: readonly {
    readonly name: string;
    readonly thresholds: Readonly<Record<string, number>>;
    readonly accuracy?: Share | undefined;
    readonly agreement: Share;
    readonly meanLayers: number;
    readonly work: { readonly saved: number };
    readonly exits: readonly { readonly layer: number; readonly share: number }[];
  }[];
}
