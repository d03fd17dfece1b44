/** The dialog with all pinned messages of a conversation. */

import type { Pin, PinsView } from '@messenger/react';
import { useRef, useState } from 'react';
import { formatShortDate } from '../i18n/dates.ts';
import { useLanguage } from '../i18n/language.tsx';
import { useToday } from '../i18n/today.ts';
import { FailureText } from '../parts/FailureText.tsx';
import { Icon } from '../parts/Icon.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { UserName, useUserName } from '../parts/UserName.tsx';
import { useAction } from '../parts/useAction.ts';
import { truncate } from '../text/graphemes.ts';
import { previewOf } from '../text/messagePreview.ts';
import { DialogFrame } from './DialogFrame.tsx';

const PREVIEW_CHARS = 400;

export interface PinListProps {
  view: PinsView;
  canUnpin: boolean;
  onShow: (messageId: string) => void;
  onClose: () => void;
}

export default function PinList({ view, canUnpin, onShow, onClose }: PinListProps) {
  const { t } = useLanguage();
  const { run, isBusy, failure } = useAction();
  const older = useOlderPins(view);
  const isShown = useRef(false);
  const list = useRef<HTMLUListElement>(null);
  const pins = [...view.pins, ...older.pins];
  const unpin = (pin: Pin) =>
    run(async () => {
      await view.unpin(pin.message);
      older.remove(pin);
      // The button that had the focus is gone.
      list.current?.focus();
    });
  return (
    <DialogFrame title={t('pins.title')} onClose={onClose} returnsFocus={() => !isShown.current}>
      <FailureText failure={failure ?? view.failure} />
      {pins.length === 0 && <p className="quiet">{t('pins.none')}</p>}
      <ul className="pins" ref={list} tabIndex={-1}>
        {pins.map((pin) => (
          <PinRow
            key={pin.message.id}
            pin={pin}
            onShow={() => {
              // The message gets the focus.
              isShown.current = true;
              onShow(pin.message.id);
            }}
            onUnpin={canUnpin ? () => void unpin(pin) : null}
          />
        ))}
      </ul>
      {older.cursor !== null && (
        <button type="button" className="button" disabled={isBusy} onClick={() => void run(older.load)}>
          {t('showMore')}
        </button>
      )}
    </DialogFrame>
  );
}

/** The pins before the newest ones. They are loaded page by page, and forgotten when the newest ones change. */
function useOlderPins({ pins: newest, nextCursor, more }: PinsView) {
  const [loaded, setLoaded] = useState<{ after: string | null; pins: Pin[]; cursor: string | null } | null>(
    null,
  );
  const current = loaded?.after === nextCursor ? loaded : null;
  const cursor = current ? current.cursor : nextCursor;
  const before = current?.pins ?? [];
  const isNewest = (pin: Pin) => newest.some((other) => other.message.id === pin.message.id);
  return {
    cursor,
    pins: before.filter((pin) => !isNewest(pin)),
    load: async () => {
      if (cursor === null) return;
      const page = await more(cursor);
      setLoaded({ after: nextCursor, pins: [...before, ...page.items], cursor: page.next_cursor });
    },
    remove: (pin: Pin) => {
      if (current) setLoaded({ ...current, pins: before.filter((each) => each !== pin) });
    },
  };
}

function PinRow({ pin, onShow, onUnpin }: { pin: Pin; onShow: () => void; onUnpin: (() => void) | null }) {
  const { language, t } = useLanguage();
  const today = useToday();
  const pinner = useUserName(pin.user_id);
  const { message } = pin;
  return (
    <li className="pin">
      <UserAvatar id={message.sender_id} />
      <div className="pin-text">
        <p className="pin-sender" dir="auto">
          <UserName id={message.sender_id} />
        </p>
        <p className="pin-content" dir="auto">
          {truncate(previewOf(message, t), PREVIEW_CHARS)}
        </p>
        <p className="quiet">
          {t('pins.by', { name: pinner, when: formatShortDate(language, t, pin.pinned_at, today) })}
        </p>
        <button type="button" className="button small" onClick={onShow}>
          {t('pins.show')}
        </button>
      </div>
      {onUnpin && (
        <button type="button" className="icon-button" onClick={onUnpin} title={t('message.unpin')}>
          <Icon name="close" />
          <span className="sr-only">{t('message.unpin')}</span>
        </button>
      )}
    </li>
  );
}
