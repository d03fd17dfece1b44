/** Owns the question before a message is deleted. */

import type { ChatMessage, MessagesView } from '@messenger/react';
import { useT } from '../i18n/language.tsx';
import { Failed } from '../parts/Failed.tsx';
import { useAct } from '../parts/useAct.ts';
import { Sheet } from './Sheet.tsx';

export default function DeleteMessage({
  message,
  view,
  onClose,
}: {
  message: ChatMessage;
  view: MessagesView;
  onClose: () => void;
}) {
  const t = useT();
  const { act, isBusy, failure } = useAct();
  const remove = async () => {
    if (await act(() => view.remove(message))) onClose();
  };
  return (
    <Sheet title={t('delete.title')} onClose={onClose}>
      <p className="quiet">{t('delete.about')}</p>
      <Failed failure={failure} />
      <div className="sheet-foot">
        <button type="button" className="button" onClick={onClose}>
          {t('cancel')}
        </button>
        <button type="button" className="button danger" disabled={isBusy} onClick={() => void remove()}>
          {t('message.delete')}
        </button>
      </div>
    </Sheet>
  );
}
