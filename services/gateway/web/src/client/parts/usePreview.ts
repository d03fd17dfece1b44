/** Gives a message as one line of text, without the marks of formatting. */

import { useT } from '../i18n/language.tsx';
import { useFormatter } from '../text/formatter.ts';
import { type PreviewFields, previewOf } from '../text/messagePreview.ts';

/** Empty if there is no message. */
export function usePreview(message: PreviewFields | null | undefined): string {
  const t = useT();
  const formatter = useFormatter(message?.content ?? '');
  return message ? previewOf(message, t, formatter?.withoutMarks) : '';
}
