/** Owns the line that tells who types. */

import { useTyping } from '@messenger/react';
import { usePersonName, useT } from '../i18n/language.tsx';

export function TypingLine({ id }: { id: string }) {
  const text = useTypingText(useTyping(id).typists);
  return (
    <div className="typing-line" role="status" data-testid="typing">
      {text && (
        <>
          <span className="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {text}
        </>
      )}
    </div>
  );
}

/** Empty when nobody does. */
export function useTypingText(typists: readonly number[]): string {
  const t = useT();
  const a = usePersonName(typists[0] ?? null);
  const b = usePersonName(typists[1] ?? null);
  if (typists.length === 0) return '';
  if (typists.length === 1) return t('typing.one', { a });
  return typists.length === 2 ? t('typing.two', { a, b }) : t('typing.many');
}
