/** The type of the virtualised message list, which the list and its keyboard handling share. */

import type { Virtualizer } from '@tanstack/react-virtual';

export type Feed = Virtualizer<HTMLDivElement, HTMLElement>;
