import { backendNames } from '#training/backend/backend-names.js';

/** What training tests compute with: wasm, which is everywhere, unless SLUICE_TEST_BACKEND names another. */
export const trainingBackend =
  backendNames.find((name) => name === process.env['SLUICE_TEST_BACKEND']) ?? 'wasm';
