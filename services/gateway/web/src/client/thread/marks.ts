/** The places in messages that a search has found. */

import type { SearchHit } from '@messenger/react';

export interface MessageMarks {
  /** Offset and length of each place, in UTF-16 units. */
  places: SearchHit['highlights'];
  /** Whether the user has gone to this message. */
  isCurrent: boolean;
}

/** By message id. */
export type Marks = ReadonlyMap<string, MessageMarks>;

export const NO_MARKS: Marks = new Map();
