/** What the list of results shows of a message: who wrote it, when and where, and the text around the first hit. */

import { findSomeWords, type SearchHit, useConversation, useSession } from '@messenger/react';
import { memo, useMemo } from 'react';
import { formatShortDate } from '../i18n/dates.ts';
import { useLanguage } from '../i18n/language.tsx';
import { useToday } from '../i18n/today.ts';
import { useTitle } from '../parts/conversationTitle.ts';
import { Icon } from '../parts/Icon.tsx';
import { drawMarked } from '../parts/MarkedText.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { NameText, useNamedUser } from '../parts/UserName.tsx';
import { fileName, previewOf } from '../text/messagePreview.ts';
import { type Snippet, snippetOf } from '../text/snippet.ts';

export interface HitContentProps {
  hit: SearchHit;
  /** What it was found for. */
  query: string;
}

export const HitContent = memo(function HitContent({ hit, query }: HitContentProps) {
  const { language, t } = useLanguage();
  const today = useToday();
  const me = useSession()?.me;
  const { message } = hit;
  const sender = useNamedUser(message.sender_id);
  const row = useConversation(hit.conversation_id);
  const title = useTitle(row);
  const isMine = message.sender_id === me;
  const isOther = title.other === message.sender_id;
  return (
    <>
      <UserAvatar id={message.sender_id} />
      <span className="hit-text">
        <span className="item-line">
          <span className="item-title" dir="auto">
            {isMine ? <span>{t('you')}</span> : <NameText {...sender} />}
          </span>
          <time className="item-when" dateTime={message.created_at}>
            {formatShortDate(language, t, message.created_at, today)}
          </time>
        </span>
        {row && !isOther && (
          <span className="hit-where" dir="auto">
            <NameText name={title.title} isLoading={title.isLoading} />
          </span>
        )}
        <HitText hit={hit} query={query} />
      </span>
    </>
  );
});

function HitText({ hit, query }: HitContentProps) {
  const { t } = useLanguage();
  const { text, places, isFile } = useMemo(() => shownOf(hit, query), [hit, query]);
  return (
    <span className="hit-snippet" dir="auto">
      {isFile && <Icon name="file" />}
      {drawMarked(text || previewOf(hit.message, t), places)}
    </span>
  );
}

/** The text of the message, or the name of the file that has the words. */
function shownOf({ message, highlights }: SearchHit, query: string): Snippet & { isFile: boolean } {
  const { content, file_name: name, attachments = [] } = message;
  if (content && highlights.length > 0) return { ...snippetOf(content, highlights), isFile: false };
  const names = [...attachments.map((file) => file.name), name].flatMap((each) => fileName(each) ?? []);
  const found = names
    .map((text) => ({ text, places: findSomeWords(text, query) }))
    .find(({ places }) => places.length > 0);
  if (found) return { ...snippetOf(found.text, found.places), isFile: true };
  return { ...snippetOf(content ?? '', []), isFile: false };
}
