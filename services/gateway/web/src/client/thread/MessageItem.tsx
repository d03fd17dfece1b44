/** Owns one message on the screen. */

import type { ChatMessage } from '@messenger/react';
import { type KeyboardEvent, type MouseEvent, memo } from 'react';
import { dayOf, momentOf, timeOf } from '../i18n/dates.ts';
import { reasonOf } from '../i18n/failures.ts';
import { useLanguage, usePersonName } from '../i18n/language.tsx';
import { Avatar, initials } from '../parts/Avatar.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Body, Quote } from './Body.tsx';
import type { Place } from './rows.ts';
import type { Aim } from './Thread.tsx';
import { Tick } from './Tick.tsx';

export interface MessageItemProps {
  message: ChatMessage;
  place: Place;
  quoted: ChatMessage | undefined;
  startsUnread: boolean;
  isGroup: boolean;
  isCurrent: boolean;
  index: number;
  /** -1 while there may be more. */
  count: number;
  top: number;
  measure: (element: HTMLElement | null) => void;
  onFocus: (key: string) => void;
  onMenu: (message: ChatMessage, anchor: Element) => void;
  onAim: (aim: Aim) => void;
  onGoTo: (id: string) => void;
  onRetry: (id: string) => void;
  onDiscard: (id: string) => void;
}

export const MessageItem = memo(Item, isSame);

/** A place is made anew for every look at the list. */
function isSame(before: MessageItemProps, now: MessageItemProps): boolean {
  const { place: one, ...rest } = before;
  const { place: other, ...others } = now;
  const isSamePlace =
    one.startsDay === other.startsDay &&
    one.startsGroup === other.startsGroup &&
    one.endsGroup === other.endsGroup;
  return (
    isSamePlace && (Object.keys(rest) as (keyof typeof rest)[]).every((name) => rest[name] === others[name])
  );
}

function Item(props: MessageItemProps) {
  const { message, place, quoted, isGroup, onMenu, onAim } = props;
  const { language, t } = useLanguage();
  const name = usePersonName(message.isMine ? null : message.sender_id);
  const time = timeOf(language, message.created_at);
  const openMenu = (event: MouseEvent) => {
    // A selection or a link has a menu of its own.
    if (String(getSelection()) || (event.target as Element).closest('a')) return;
    event.preventDefault();
    onMenu(message, event.currentTarget.querySelector('.bubble') ?? event.currentTarget);
  };
  const key = (event: KeyboardEvent<HTMLElement>) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === 'Enter' || event.key === 'ContextMenu') {
      event.preventDefault();
      onMenu(message, event.currentTarget.querySelector('.bubble') ?? event.currentTarget);
    } else if (event.key === 'r') {
      event.preventDefault();
      onAim({ kind: 'reply', message });
    }
  };
  const hasSender = !message.isMine && isGroup && place.startsGroup;
  return (
    <article
      ref={props.measure}
      data-index={props.index}
      data-key={message.key}
      data-testid="message"
      data-status={message.status}
      className={classOf(message, place)}
      style={{ transform: `translateY(${props.top}px)` }}
      aria-posinset={props.index + 1}
      aria-setsize={props.count}
      aria-describedby={`bubble-${props.index}`}
      aria-label={t('message.from', { name: message.isMine ? t('you') : name, time })}
      tabIndex={props.isCurrent ? 0 : -1}
      onFocus={() => props.onFocus(message.key)}
      onKeyDown={key}
      onContextMenu={openMenu}
    >
      {place.startsDay && <h3 className="day">{dayOf(language, t, message.created_at)}</h3>}
      {props.startsUnread && <p className="unread-from">{t('messages.new')}</p>}
      <div className="row">
        {isGroup && !message.isMine && (
          <span className="row-avatar">
            {place.endsGroup && <Avatar id={message.sender_id} label={initials(name)} size="small" />}
          </span>
        )}
        <div className="bubble" id={`bubble-${props.index}`}>
          {hasSender && <p className={`sender ink-${message.sender_id % 8}`}>{name}</p>}
          {message.reply_to && !message.deleted_at && (
            <Quote quoted={quoted} id={message.reply_to} onGoTo={props.onGoTo} />
          )}
          <Body message={message} />
          <span className="meta">
            {message.edited_at && !message.deleted_at && <span>{t('message.edited')}</span>}
            <time dateTime={message.created_at} title={momentOf(language, message.created_at)}>
              {time}
            </time>
            {message.isMine && <Tick status={message.status} />}
          </span>
        </div>
        {message.seq > 0 && !message.deleted_at && (
          <button
            type="button"
            className="icon-button more"
            tabIndex={props.isCurrent ? 0 : -1}
            aria-haspopup="menu"
            aria-label={t('message.actions')}
            title={t('message.actions')}
            onClick={(event) => onMenu(message, event.currentTarget)}
          >
            ⋯
          </button>
        )}
      </div>
      {message.failure && <FailedLine {...props} />}
    </article>
  );
}

function FailedLine({ message, onRetry, onDiscard, isCurrent }: MessageItemProps) {
  const { t } = useLanguage();
  const id = message.client_message_id ?? '';
  const tabIndex = isCurrent ? 0 : -1;
  return (
    <p className="failed-line">
      <Icon name="warning" />
      <span>{message.failure && t('status.failed', { reason: reasonOf(t, message.failure) })}</span>
      <button type="button" className="button small" tabIndex={tabIndex} onClick={() => onRetry(id)}>
        {t('message.retry')}
      </button>
      <button type="button" className="button small" tabIndex={tabIndex} onClick={() => onDiscard(id)}>
        {t('message.discard')}
      </button>
    </p>
  );
}

function classOf(message: ChatMessage, place: Place): string {
  return [
    'message',
    message.isMine ? 'mine' : 'theirs',
    place.startsGroup && 'starts',
    place.endsGroup && 'ends',
    message.deleted_at && 'deleted',
  ]
    .filter(Boolean)
    .join(' ');
}
