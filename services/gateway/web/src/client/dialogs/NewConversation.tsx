/** The dialog that starts a conversation. */

import { isBlank, useConversations, useSession } from '@messenger/react';
import { type FormEvent, useId, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { FailureText } from '../parts/FailureText.tsx';
import { TextField } from '../parts/TextField.tsx';
import { useAction } from '../parts/useAction.ts';
import { DialogFrame } from './DialogFrame.tsx';
import { PeoplePicker } from './PeoplePicker.tsx';
import { usePeopleChoice } from './usePeopleChoice.ts';

const KINDS = ['direct', 'group', 'announcement'] as const;
type Kind = (typeof KINDS)[number];

export default function NewConversation({
  onClose,
  onCreated,
}: {
  onClose: () => void;
  onCreated: (id: string) => void;
}) {
  const t = useT();
  const [kind, setKind] = useState<Kind>('direct');
  const [title, setTitle] = useState('');
  const [refused, setRefused] = useState<string | null>(null);
  const { create } = useConversations();
  const me = useSession()?.me ?? '';
  const { run, isBusy, failure } = useAction();
  const id = useId();
  const isDirect = kind === 'direct';
  const people = usePeopleChoice(isDirect);
  // What is wrong is shown until something else is entered.
  const entered = [kind, ...people.chosen, people.text].join(' ');
  const isInvalid = refused === entered;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { ids: participant_ids } = people;
    if (participant_ids === null || (isDirect && participant_ids.length !== 1)) return setRefused(entered);
    const titled = isDirect ? {} : { title: title.trim() };
    void run(async () => {
      onCreated(await create({ type: kind, participant_ids, ...titled }));
      onClose();
    });
  };

  return (
    <DialogFrame title={t('conversation.new')} onClose={onClose}>
      <form onSubmit={submit} className="form">
        <fieldset className="choice">
          <legend className="sr-only">{t('new.kind')}</legend>
          {KINDS.map((each) => (
            <label key={each}>
              <input type="radio" name="kind" checked={kind === each} onChange={() => setKind(each)} />
              <span>{t(`new.${each}`)}</span>
            </label>
          ))}
        </fieldset>
        {kind === 'announcement' && <p className="quiet">{t('new.announcement.about')}</p>}
        {!isDirect && (
          <>
            <label className="label" htmlFor={`${id}-title`}>
              {t('new.title')}
            </label>
            <TextField id={`${id}-title`} required maxLength={255} value={title} onText={setTitle} />
          </>
        )}
        <PeoplePicker
          choice={people}
          label={t(isDirect ? 'new.person' : 'new.people')}
          about={isDirect ? t('new.person.about', { id: String(me) }) : t('new.people.about')}
          error={isInvalid ? t(isDirect ? 'new.invalid.one' : 'new.invalid') : null}
          isRequired
        />
        <FailureText failure={failure} />
        <div className="dialog-actions">
          <button type="button" className="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button
            type="submit"
            className="button primary"
            disabled={isBusy || (!isDirect && title !== '' && isBlank(title))}
          >
            {t('new.create')}
          </button>
        </div>
      </form>
    </DialogFrame>
  );
}
