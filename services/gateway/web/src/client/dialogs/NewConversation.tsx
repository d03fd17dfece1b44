/** Owns starting a conversation. */

import { useConversations } from '@messenger/react';
import { type FormEvent, useId, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { Failed } from '../parts/Failed.tsx';
import { useAct } from '../parts/useAct.ts';
import { Sheet } from './Sheet.tsx';
import { userIdsIn } from './userIds.ts';

const KINDS = ['direct', 'group', 'announcement'] as const;
type Kind = (typeof KINDS)[number];

export default function NewConversation({
  onClose,
  onMade,
}: {
  onClose: () => void;
  onMade: (id: string) => void;
}) {
  const t = useT();
  const [kind, setKind] = useState<Kind>('direct');
  const [title, setTitle] = useState('');
  const [people, setPeople] = useState('');
  const [isInvalid, setInvalid] = useState(false);
  const { create } = useConversations();
  const { act, isBusy, failure } = useAct();
  const id = useId();
  const isDirect = kind === 'direct';

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const participant_ids = userIdsIn(people);
    if (participant_ids === null || (isDirect && participant_ids.length !== 1)) return setInvalid(true);
    const titled = isDirect ? {} : { title: title.trim() };
    void act(async () => {
      onMade(await create({ type: kind, participant_ids, ...titled }));
      onClose();
    });
  };

  return (
    <Sheet title={t('conversation.new')} onClose={onClose}>
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
            <input
              id={`${id}-title`}
              className="field"
              required
              maxLength={255}
              value={title}
              onChange={(event) => setTitle(event.target.value)}
            />
          </>
        )}
        <label className="label" htmlFor={`${id}-people`}>
          {t(isDirect ? 'new.person' : 'new.people')}
        </label>
        <input
          id={`${id}-people`}
          className="field"
          required
          inputMode="numeric"
          autoComplete="off"
          aria-invalid={isInvalid}
          aria-describedby={`${id}-about`}
          value={people}
          onChange={(event) => {
            setPeople(event.target.value);
            setInvalid(false);
          }}
        />
        <p
          id={`${id}-about`}
          className={isInvalid ? 'failed' : 'quiet'}
          role={isInvalid ? 'alert' : undefined}
        >
          {isInvalid ? t('new.invalid') : isDirect ? '' : t('new.people.about')}
        </p>
        <Failed failure={failure} />
        <div className="sheet-foot">
          <button type="button" className="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button type="submit" className="button primary" disabled={isBusy}>
            {t('new.create')}
          </button>
        </div>
      </form>
    </Sheet>
  );
}
