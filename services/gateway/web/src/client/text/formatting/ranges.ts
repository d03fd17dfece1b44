/** Parts of a text, as offsets in UTF-16 units. */

export interface Range {
  start: number;
  /** The offset behind the last unit. */
  end: number;
}
