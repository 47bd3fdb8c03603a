const KEPT = 'The last good checkpoint stays, if there is one.';

/** A loss that is no number: the model's numbers are lost, those of the last good checkpoint are not. */
export class LossNotFiniteError extends Error {
  override readonly name = 'LossNotFiniteError';

  constructor(
    readonly step: number,
    readonly epoch: number,
    /** Numbers of the batch's rows in the corpus. */
    readonly rows: readonly number[],
  ) {
    const shown = `${rows.slice(0, 10).join(', ')}${rows.length > 10 ? ', …' : ''}`;
    super(
      `The loss is not finite at step ${step} (epoch ${epoch}), on the batch with rows ${shown}. ${KEPT} ` +
        'Look at these rows, or start anew with a lower learning rate (a command with --force).',
    );
  }
}

/** A step took numbers of the model out of their range, though its loss was one. */
export class ModelNotFiniteError extends Error {
  override readonly name = 'ModelNotFiniteError';

  constructor(readonly step: number) {
    super(
      `Numbers of the model are not finite after step ${step}. ${KEPT} Start anew with a lower learning rate (a command with --force).`,
    );
  }
}
