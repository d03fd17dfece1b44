/** The field to choose whose messages are searched. */

import { type UserId, useSession } from '@messenger/react';
import { PeoplePicker } from '../dialogs/PeoplePicker.tsx';
import { usePeopleChoice } from '../dialogs/usePeopleChoice.ts';
import { useT } from '../i18n/language.tsx';

export function PersonFilter({ onChoose }: { onChoose: (id: UserId) => void }) {
  const t = useT();
  const me = useSession()?.me;
  const choice = usePeopleChoice(true);
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        const [id] = choice.ids ?? [];
        if (id !== undefined) onChoose(id);
      }}
    >
      <PeoplePicker
        choice={{ ...choice, choose: onChoose }}
        label={t('search.from')}
        about={t('new.person')}
      />
      <div className="form-row">
        {me !== undefined && (
          <button type="button" className="button small" onClick={() => onChoose(me)}>
            {t('search.fromMe')}
          </button>
        )}
        <button type="submit" className="button small" disabled={choice.ids === null}>
          {t('search.apply')}
        </button>
      </div>
    </form>
  );
}
