/**
 * Which distribution the divergence is taken under: `student‖teacher` is Σ p_s (ln p_s − ln p_t), as in the FastBERT
 * paper; `teacher‖student` is Σ p_t (ln p_t − ln p_s), as in its implementation.
 */
export const divergenceDirections = ['teacher-student', 'student-teacher'] as const;
export type DivergenceDirection = (typeof divergenceDirections)[number];
