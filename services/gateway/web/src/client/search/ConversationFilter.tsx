/** The field to choose in which conversation is searched: the open one, one of the latest, or one with a name. */

import { type ConversationRow, useConversations } from '@messenger/react';
import { useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { useTitle } from '../parts/conversationTitle.ts';
import { TextField } from '../parts/TextField.tsx';
import { ConversationAvatar } from '../parts/UserAvatar.tsx';
import { NameText } from '../parts/UserName.tsx';
import { useFoundConversations } from './useFoundConversations.ts';

const MAX_SHOWN = 6;

export interface ConversationFilterProps {
  /** The open conversation. */
  open: string | null;
  onChoose: (id: string) => void;
}

export function ConversationFilter({ open, onChoose }: ConversationFilterProps) {
  const t = useT();
  const [text, setText] = useState('');
  const { conversations } = useConversations();
  const found = useFoundConversations(text);
  const latest = [...conversations].sort((a, b) => Number(b.id === open) - Number(a.id === open));
  const shown = (text.trim() ? found : latest).slice(0, MAX_SHOWN);
  return (
    <div className="form">
      <TextField
        aria-label={t('search.inName')}
        placeholder={t('search.inName')}
        value={text}
        onText={setText}
        autoComplete="off"
      />
      <ul className="filter-choices" aria-label={t('conversations')}>
        {shown.map((row) => (
          <li key={row.id}>
            <Choice row={row} onChoose={() => onChoose(row.id)} />
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="quiet">{t('conversations.noMatch', { text: text.trim() })}</p>}
    </div>
  );
}

function Choice({ row, onChoose }: { row: ConversationRow; onChoose: () => void }) {
  const named = useTitle(row);
  return (
    <button type="button" className="filter-choice" onClick={onChoose}>
      <ConversationAvatar row={row} named={named} size="small" />
      <span className="person-name" dir="auto">
        <NameText name={named.title} isLoading={named.isLoading} />
      </span>
    </button>
  );
}
