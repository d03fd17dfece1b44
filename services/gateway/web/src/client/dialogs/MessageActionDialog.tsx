/**
 * Deletes a message when the user has confirmed it, or marks messages as unread at once. If the action fails,
 * the dialog shows why and lets the user try again.
 */

import type { ChatMessage, MessagesView } from '@messenger/react';
import { useEffect, useRef } from 'react';
import { useT } from '../i18n/language.tsx';
import { FailureText } from '../parts/FailureText.tsx';
import { useAction } from '../parts/useAction.ts';
import { DialogFrame } from './DialogFrame.tsx';

export interface MessageActionDialogProps {
  action: 'delete' | 'unread';
  message: ChatMessage;
  view: MessagesView;
  onClose: () => void;
}

export default function MessageActionDialog({ action, message, view, onClose }: MessageActionDialogProps) {
  const t = useT();
  const { run, isBusy, failure } = useAction();
  const isDelete = action === 'delete';
  const perform = async () => {
    if (await run(() => (isDelete ? view.remove(message) : view.markUnread(message)))) onClose();
  };
  const first = useRef(isDelete ? null : perform);
  useEffect(() => void first.current?.(), []);
  if (!isDelete && !failure) return null;
  return (
    <DialogFrame title={t(isDelete ? 'delete.title' : 'message.unread')} onClose={onClose}>
      {isDelete && <p className="quiet">{t('delete.about')}</p>}
      <FailureText failure={failure} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          {t('cancel')}
        </button>
        <button
          type="button"
          className={isDelete ? 'button danger' : 'button primary'}
          disabled={isBusy}
          onClick={() => void perform()}
        >
          {t(isDelete ? 'message.delete' : 'tryAgain')}
        </button>
      </div>
    </DialogFrame>
  );
}
