/** The dialog with a conversation's details: its notifications, its title, its members and their roles, and leave. */

import {
  type ConversationRow,
  isBlank,
  type UserId,
  useMuted,
  useNotify,
  useParticipants,
  useSession,
} from '@messenger/react';
import { type FormEvent, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { FailureText } from '../parts/FailureText.tsx';
import { TextField } from '../parts/TextField.tsx';
import { useAction } from '../parts/useAction.ts';
import { DialogFrame } from './DialogFrame.tsx';
import { Member } from './Member.tsx';
import { PeoplePicker } from './PeoplePicker.tsx';
import { usePeopleChoice } from './usePeopleChoice.ts';

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
  const { run, isBusy, failure } = useAction();
  const isGroup = row.type !== 'direct';
  const isAdmin = isGroup && members.role === 'admin';
  const [isAskingToLeave, setAskingToLeave] = useState(false);
  const leave = async () => {
    if (isGroup && !isAskingToLeave) return setAskingToLeave(true);
    if (!(await run(members.leave))) return;
    onClose();
    onLeft();
  };
  return (
    <DialogFrame title={title} onClose={onClose}>
      <label className="switch">
        <input
          type="checkbox"
          role="switch"
          aria-checked={isMuted}
          checked={isMuted}
          disabled={isBusy}
          onChange={(event) => void run(() => mute(event.target.checked))}
        />
        <span>{t('details.mute')}</span>
      </label>
      <NotifyChoice id={row.id} isDisabled={isMuted || isBusy} run={run} />
      {isAdmin && <RenameForm title={row.title ?? ''} onRename={(name) => run(() => members.rename(name))} />}
      <h3>{t('details.members')}</h3>
      <ul className="people">
        {members.participants.map((participant) => (
          <Member
            key={participant.user_id}
            participant={participant}
            isMe={participant.user_id === me}
            canChange={isAdmin}
            onRole={(role) => void run(() => members.setRole(participant.user_id, role))}
            onRemove={() => void run(() => members.remove(participant.user_id))}
          />
        ))}
      </ul>
      {isAdmin && (
        <AddMembersForm
          members={members.participants.map((each) => each.user_id)}
          onAdd={(ids) => run(() => members.add(ids))}
        />
      )}
      <FailureText failure={failure} />
      <div className="dialog-actions">
        {isAskingToLeave && <p className="leave-question">{t('details.leave.confirm')}</p>}
        <button type="button" className="button danger" disabled={isBusy} onClick={() => void leave()}>
          {t(isGroup ? 'details.leave' : 'details.hide')}
        </button>
      </div>
    </DialogFrame>
  );
}

interface NotifyChoiceProps {
  id: string;
  isDisabled: boolean;
  run: (what: () => Promise<unknown>) => Promise<boolean>;
}

function NotifyChoice({ id, isDisabled, run }: NotifyChoiceProps) {
  const t = useT();
  const { notify, setNotify } = useNotify(id);
  return (
    <fieldset className="choice" disabled={isDisabled}>
      <legend>{t('details.notify')}</legend>
      {(['all', 'mentions', 'none'] as const).map((each) => (
        <label key={each}>
          <input
            type="radio"
            name="notify"
            checked={notify === each}
            onChange={() => void run(() => setNotify(each))}
          />
          <span>{t(`details.notify.${each}`)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function RenameForm({ title, onRename }: { title: string; onRename: (title: string) => Promise<boolean> }) {
  const t = useT();
  const [text, setText] = useState(title);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!isBlank(text)) void onRename(text.trim());
  };
  return (
    <form className="form-row" onSubmit={submit}>
      <TextField aria-label={t('details.title')} required maxLength={255} value={text} onText={setText} />
      <button type="submit" className="button" disabled={isBlank(text) || text.trim() === title}>
        {t('details.rename')}
      </button>
    </form>
  );
}

function AddMembersForm({
  members,
  onAdd,
}: {
  members: readonly UserId[];
  onAdd: (ids: UserId[]) => Promise<boolean>;
}) {
  const t = useT();
  const people = usePeopleChoice(false);
  const { ids } = people;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (ids && (await onAdd(ids))) people.clear();
  };
  return (
    <form className="form" onSubmit={(event) => void submit(event)}>
      <PeoplePicker
        choice={people}
        label={t('details.add.label')}
        about={t('new.people.about')}
        excluded={members}
      />
      <button type="submit" className="button" disabled={!ids}>
        {t('details.add')}
      </button>
    </form>
  );
}
