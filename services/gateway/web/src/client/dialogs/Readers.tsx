/** The dialog that lists who has read a message. */

import { type ChatMessage, type Reader, useSession } from '@messenger/react';
import { useEffect, useState } from 'react';
import { formatShortDate } from '../i18n/dates.ts';
import { useLanguage } from '../i18n/language.tsx';
import { useToday } from '../i18n/today.ts';
import { FailureText } from '../parts/FailureText.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { UserName } from '../parts/UserName.tsx';
import { useAction } from '../parts/useAction.ts';
import { DialogFrame } from './DialogFrame.tsx';

export default function Readers({ message, onClose }: { message: ChatMessage; onClose: () => void }) {
  const { t } = useLanguage();
  const session = useSession();
  const [readers, setReaders] = useState<Reader[] | null>(null);
  const { run, failure } = useAction();
  useEffect(() => {
    const ask = async () => setReaders((await session?.people.readers(message.id)) ?? []);
    void run(ask);
  }, [session, message.id, run]);
  const others = readers?.filter((reader) => reader.user_id !== message.sender_id) ?? null;
  return (
    <DialogFrame title={t('readers.title')} onClose={onClose}>
      <FailureText failure={failure} />
      {others?.length === 0 && <p className="quiet">{t('readers.none')}</p>}
      <ul className="people">
        {others?.map((reader) => (
          <ReaderRow key={reader.user_id} reader={reader} />
        ))}
      </ul>
    </DialogFrame>
  );
}

function ReaderRow({ reader }: { reader: Reader }) {
  const { language, t } = useLanguage();
  const today = useToday();
  return (
    <li className="person">
      <UserAvatar id={reader.user_id} />
      <span className="person-name">
        <UserName id={reader.user_id} />
      </span>
      <time className="quiet" dateTime={reader.read_at}>
        {formatShortDate(language, t, reader.read_at, today)}
      </time>
    </li>
  );
}
