import type { CompileStep, EvaluateStep } from '#training/job/training-steps.js';

type Value = string | number | readonly (string | number)[] | undefined;

/** Options of `sluice compile` for a step. */
export function compileArguments(step: CompileStep): string[] {
  return [
    ...readingArguments(step),
    ...options({
      precision: step.precision,
      calibrate: step.calibrate,
      measure: step.measure,
      'min-agreement': step.minAgreement,
      stages: step.stages,
      exits: step.exits,
      'max-length': step.maxLength,
      'uncertainty-top': step.uncertaintyTop,
    }),
  ];
}

/** Options of `sluice evaluate` for a step. */
export function evaluateArguments(step: EvaluateStep): string[] {
  return [
    ...readingArguments(step),
    ...options({ speeds: step.speeds, policy: step.policy, limit: step.limit }),
    ...(step.timing ? [] : ['--no-timing']),
  ];
}

function readingArguments({
  format,
  header,
  quotes,
  textField,
  pairField,
  labelField,
}: CompileStep | EvaluateStep): string[] {
  return [
    ...options({
      format,
      'text-field': textField,
      'pair-field': pairField,
      'label-field': labelField,
    }),
    ...(header === undefined ? [] : [header ? '--header' : '--no-header']),
    ...(quotes === undefined ? [] : [quotes ? '--quotes' : '--no-quotes']),
  ];
}

/** As `--name=value`, so that no value is taken for an option. */
function options(values: Readonly<Record<string, Value>>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${Array.isArray(value) ? value.join(',') : String(value)}`],
  );
}
