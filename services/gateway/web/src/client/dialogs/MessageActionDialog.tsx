/**
 * Deletes a message when the user has confirmed it, or pins, unpins or marks as unread at once. If the action fails,
 * the dialog shows why and lets the user try again.
 */

import type { ChatMessage, MessagesView, PinsView } from '@messenger/react';
import { useEffect, useRef } from 'react';
import { useT } from '../i18n/language.tsx';
import { FailureText } from '../parts/FailureText.tsx';
import { useAction } from '../parts/useAction.ts';
import { DialogFrame } from './DialogFrame.tsx';

export interface MessageActionDialogProps {
  action: 'delete' | 'unread' | 'pin' | 'unpin';
  message: ChatMessage;
  view: MessagesView;
  pins: PinsView;
  onClose: () => void;
}

export default function MessageActionDialog(props: MessageActionDialogProps) {
  const { action, onClose } = props;
  const t = useT();
  const { run, isBusy, failure } = useAction();
  const isDelete = action === 'delete';
  const perform = async () => {
    if (await run(() => carryOut(props))) onClose();
  };
  const first = useRef(isDelete ? null : perform);
  useEffect(() => void first.current?.(), []);
  if (!isDelete && !failure) return null;
  return (
    <DialogFrame title={t(isDelete ? 'delete.title' : `message.${action}`)} onClose={onClose}>
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

function carryOut({ action, message, view, pins }: MessageActionDialogProps): Promise<void> {
  switch (action) {
    case 'delete':
      return view.remove(message);
    case 'unread':
      return view.markUnread(message);
    case 'pin':
      return pins.pin(message);
    case 'unpin':
      return pins.unpin(message);
  }
}
