/** Opens the viewer of pictures, which is loaded when the first one is opened. */

import type { ViewerOptions } from './viewer.ts';

export function openViewer(options: ViewerOptions): void {
  // If it cannot be loaded, the picture stays as it is. The next press tries again.
  import('./viewer.ts').then(({ showPictures }) => showPictures(options)).catch(() => undefined);
}
