/** Owns what a conversation is besides its messages: its title, its members and their roles, mute, the way out. */

import { type ConversationRow, useMuted, useParticipants, useSession } from '@messenger/react';
import { type FormEvent, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { Failed } from '../parts/Failed.tsx';
import { useAct } from '../parts/useAct.ts';
import { Member } from './Member.tsx';
import { Sheet } from './Sheet.tsx';
import { userIdsIn } from './userIds.ts';

export interface DetailsProps {
  row: ConversationRow;
  title: string;
  onClose: () => void;
  onLeft: () => void;
}

export default function Details({ row, title, onClose, onLeft }: DetailsProps) {
  const t = useT();
  const me = useSession()?.me;
  const members = useParticipants(row.id);
  const { isMuted, mute } = useMuted(row.id);
  const { act, isBusy, failure } = useAct();
  const isGroup = row.type !== 'direct';
  const isAdmin = isGroup && members.role === 'admin';
  const [isSure, setSure] = useState(false);
  const leave = async () => {
    if (isGroup && !isSure) return setSure(true);
    if (!(await act(members.leave))) return;
    onClose();
    onLeft();
  };
  return (
    <Sheet title={title} onClose={onClose}>
      <label className="switch">
        <input
          type="checkbox"
          role="switch"
          aria-checked={isMuted}
          checked={isMuted}
          disabled={isBusy}
          onChange={(event) => void act(() => mute(event.target.checked))}
        />
        {t('details.mute')}
      </label>
      {isAdmin && <Rename title={row.title ?? ''} onRename={(name) => act(() => members.rename(name))} />}
      <h3>{t('details.members')}</h3>
      <ul className="people">
        {members.participants.map((participant) => (
          <Member
            key={participant.user_id}
            participant={participant}
            isMe={participant.user_id === me}
            canChange={isAdmin}
            onRole={(role) => void act(() => members.setRole(participant.user_id, role))}
            onRemove={() => void act(() => members.remove(participant.user_id))}
          />
        ))}
      </ul>
      {isAdmin && <Add onAdd={(ids) => act(() => members.add(ids))} />}
      <Failed failure={failure} />
      <div className="sheet-foot">
        {isSure && <p className="sure">{t('details.leave.sure')}</p>}
        <button type="button" className="button danger" disabled={isBusy} onClick={() => void leave()}>
          {t(isGroup ? 'details.leave' : 'details.hide')}
        </button>
      </div>
    </Sheet>
  );
}

function Rename({ title, onRename }: { title: string; onRename: (title: string) => Promise<boolean> }) {
  const t = useT();
  const [text, setText] = useState(title);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void onRename(text.trim());
  };
  return (
    <form className="line" onSubmit={submit}>
      <input
        className="field"
        aria-label={t('details.title')}
        required
        maxLength={255}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="button" disabled={!text.trim() || text.trim() === title}>
        {t('details.rename')}
      </button>
    </form>
  );
}

function Add({ onAdd }: { onAdd: (ids: number[]) => Promise<boolean> }) {
  const t = useT();
  const [text, setText] = useState('');
  const ids = userIdsIn(text);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (ids && (await onAdd(ids))) setText('');
  };
  return (
    <form className="line" onSubmit={(event) => void submit(event)}>
      <input
        className="field"
        inputMode="numeric"
        autoComplete="off"
        aria-label={t('details.add.label')}
        placeholder={t('details.add.label')}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="button" disabled={!ids}>
        {t('details.add')}
      </button>
    </form>
  );
}
