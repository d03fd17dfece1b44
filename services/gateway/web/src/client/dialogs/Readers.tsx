/** Owns who has read a message. */

import { type ChatMessage, type Reader, useSession } from '@messenger/react';
import { useEffect, useState } from 'react';
import { whenOf } from '../i18n/dates.ts';
import { useLanguage, usePersonName } from '../i18n/language.tsx';
import { Avatar, initials } from '../parts/Avatar.tsx';
import { Failed } from '../parts/Failed.tsx';
import { useAct } from '../parts/useAct.ts';
import { Sheet } from './Sheet.tsx';

export default function Readers({ message, onClose }: { message: ChatMessage; onClose: () => void }) {
  const { t } = useLanguage();
  const session = useSession();
  const [readers, setReaders] = useState<Reader[] | null>(null);
  const { act, failure } = useAct();
  useEffect(() => {
    const ask = async () => setReaders((await session?.people.readers(message.id)) ?? []);
    void act(ask);
  }, [session, message.id, act]);
  const others = readers?.filter((reader) => reader.user_id !== message.sender_id) ?? null;
  return (
    <Sheet title={t('readers.title')} onClose={onClose}>
      <Failed failure={failure} />
      {others?.length === 0 && <p className="quiet">{t('readers.none')}</p>}
      <ul className="people">
        {others?.map((reader) => (
          <Row key={reader.user_id} reader={reader} />
        ))}
      </ul>
    </Sheet>
  );
}

function Row({ reader }: { reader: Reader }) {
  const { language, t } = useLanguage();
  const name = usePersonName(reader.user_id);
  return (
    <li className="person">
      <Avatar id={reader.user_id} label={initials(name)} size="small" />
      <span className="person-name">{name}</span>
      <time className="quiet" dateTime={reader.read_at}>
        {whenOf(language, t, reader.read_at)}
      </time>
    </li>
  );
}
