/** Decides which files are drawn as pictures, and how much place they take before they are loaded. */

import type { Attachment } from '@messenger/react';

/** Larger pictures are not loaded on their own, unless there is a smaller copy. */
const MAX_BYTES = 20 * 2 ** 20;
const GRID_PX = 320;
const GAP_PX = 3;
const CARD_PX = 58;
const LEAST_RATIO = 0.75;
const MOST_RATIO = 2.2;
const USUAL_RATIO = 4 / 3;
const SMALL_SIDE = 320;
const LARGE_SIDE = 840;

export const isPicture = ({ kind, state, size, thumbs }: Attachment): boolean =>
  kind === 'image' && state !== 'rejected' && (size <= MAX_BYTES || !!thumbs?.length);

export const picturesOf = (files: readonly Attachment[]): Attachment[] => files.filter(isPicture);

/** Two or four pictures have two columns. */
export const columnsOf = (count: number): number => (count <= 1 ? 1 : count === 2 || count === 4 ? 2 : 3);

/** Width by height of a picture that stands alone. Others are squares. */
export function ratioOf({ width, height }: Attachment): number {
  if (!width || !height) return USUAL_RATIO;
  return Math.min(MOST_RATIO, Math.max(LEAST_RATIO, width / height));
}

/** The side that a picture needs on a usual screen. */
export const sideFor = (count: number): number => (count === 1 ? LARGE_SIDE : SMALL_SIDE);

/** The height of a message's files in pixels, as long as the screen is not narrow. */
export function heightOf(files: readonly Attachment[]): number {
  // Most messages have none, and this runs for all of them.
  if (files.length === 0) return 0;
  const pictures = picturesOf(files);
  const columns = columnsOf(pictures.length);
  const [first] = pictures;
  const cards = (files.length - pictures.length) * CARD_PX;
  if (!first) return cards;
  if (pictures.length === 1) return cards + GRID_PX / ratioOf(first);
  return cards + Math.ceil(pictures.length / columns) * (GRID_PX / columns + GAP_PX);
}
