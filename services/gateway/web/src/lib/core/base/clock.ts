/** Measures time spans with a clock that nobody can set. */

/** Milliseconds since some moment. The value never goes back. It may stand still while the machine sleeps. */
export const monotonic = (): number => performance.now();
