/** Makes the title and the text of a notification from what users wrote. The service worker has it too. */

import { isBlank } from '../../lib/core/base/blank.ts';
import { isolateBidi, stripBidiControls } from './bidi.ts';
import { truncate } from './graphemes.ts';

const BODY_CHARS = 140;

/** The names of the sender and of the conversation are the title. Without any that is visible, it is `app`. */
export function notificationText(
  app: string,
  names: readonly (string | null | undefined)[],
  body: string,
): { title: string; body: string } {
  const visible = names.filter((name) => name && !isBlank(name)) as string[];
  return {
    title: visible.map(isolateBidi).join(' · ') || app,
    body: truncate(stripBidiControls(body), BODY_CHARS),
  };
}
