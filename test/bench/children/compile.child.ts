/** Compiles a bundle; in a process of its own, because it takes much memory. */
import { compileBundle } from '#model/compile/compile-bundle.js';
import { answerOnce } from './answer-once.js';

await answerOnce<'compile.child.js'>(compileBundle);
