/** The bar above the messages with the newest pinned one, and the way to all of them. */

import { type ConversationRow, type PinsView, useParticipants } from '@messenger/react';
import { type ReactNode, type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';
import { LazyDialog, lazyDialog } from '../parts/LazyDialog.tsx';
import { truncate } from '../text/graphemes.ts';
import { previewOf } from '../text/messagePreview.ts';
import { canPinIn } from './messageActions.ts';

const pinList = lazyDialog(() => import('../dialogs/PinList.tsx'));
const PREVIEW_CHARS = 140;

export interface PinsBarProps {
  row: ConversationRow;
  view: PinsView;
  /** The messages below, which must not move when the bar comes and goes. */
  feed: RefObject<HTMLElement | null>;
  onJump: (messageId: string) => void;
}

export function PinsBar({ row, view, feed, onJump }: PinsBarProps) {
  const t = useT();
  const { role } = useParticipants(row.id);
  const [isOpen, setOpen] = useState(false);
  const { pins, nextCursor } = view;
  const newest = pins[0];
  const close = () => setOpen(false);
  const text = newest ? truncate(previewOf(newest.message, t), PREVIEW_CHARS) : '';
  return (
    <>
      {newest && (
        <Bar label={t('pins.title')} feed={feed}>
          <button type="button" className="pins-newest" onClick={() => onJump(newest.message.id)}>
            <Icon name="pin" />
            <span className="pins-text">
              <span className="sr-only">{t('pins.go', { text })}</span>
              <strong aria-hidden="true">{t('pins.newest')}</strong>
              <span aria-hidden="true" dir="auto">
                {text}
              </span>
            </span>
          </button>
          <button type="button" className="button small" aria-haspopup="dialog" onClick={() => setOpen(true)}>
            <span>{nextCursor === null ? t('pins.count', { count: pins.length }) : t('pins.all')}</span>
            <span className="sr-only">{t('pins.title')}</span>
          </button>
        </Bar>
      )}
      {isOpen && (
        <LazyDialog
          loader={pinList}
          props={{
            view,
            canUnpin: canPinIn(row, role),
            onClose: close,
            onShow: (messageId) => {
              close();
              onJump(messageId);
            },
          }}
        />
      )}
    </>
  );
}

/** It takes its height from the top of the messages, so they are scrolled by as much. */
function Bar({
  label,
  feed,
  children,
}: {
  label: string;
  feed: RefObject<HTMLElement | null>;
  children: ReactNode;
}) {
  const bar = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const height = bar.current?.offsetHeight ?? 0;
    const scroll = (by: number) => {
      if (feed.current) feed.current.scrollTop += by;
    };
    scroll(height);
    return () => scroll(-height);
  }, [feed]);
  return (
    <section ref={bar} className="pins-bar" aria-label={label}>
      {children}
    </section>
  );
}
