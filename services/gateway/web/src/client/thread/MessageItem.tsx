/** One message on the screen. */

import { type ChatMessage, mentionsUser, useFeature, useReactions, useSession } from '@messenger/react';
import { type KeyboardEvent, type MouseEvent, memo, useState } from 'react';
import { formatDateTime, formatDay, formatTime } from '../i18n/dates.ts';
import { failureText } from '../i18n/failures.ts';
import { useLanguage } from '../i18n/language.tsx';
import { useToday } from '../i18n/today.ts';
import { ErrorBoundary } from '../parts/ErrorBoundary.tsx';
import { Icon } from '../parts/Icon.tsx';
import { UserAvatar } from '../parts/UserAvatar.tsx';
import { NameText, useNamedUser } from '../parts/UserName.tsx';
import { MessageBody, Quote } from './MessageBody.tsx';
import type { MessageMarks } from './marks.ts';
import type { GroupPosition } from './messageGroups.ts';
import { QuickReactions } from './QuickReactions.tsx';
import { type ReactionDialog, useChooseReaction } from './ReactionDialogs.tsx';
import { Reactions } from './Reactions.tsx';
import { StatusIcon } from './StatusIcon.tsx';
import type { ComposerTarget } from './useComposerTarget.ts';

export interface MessageItemProps {
  message: ChatMessage;
  groupPosition: GroupPosition;
  quoted: ChatMessage | undefined;
  startsUnread: boolean;
  isGroup: boolean;
  isCurrent: boolean;
  /** Whether the user has just gone to this message. */
  isFound: boolean;
  marks: MessageMarks | undefined;
  index: number;
  /** -1 while there may be more messages. */
  count: number;
  top: number;
  measure: (element: HTMLElement | null) => void;
  onFocus: (key: string) => void;
  onMenu: (message: ChatMessage, anchor: Element) => void;
  onTarget: (target: ComposerTarget) => void;
  onReactionDialog: (dialog: ReactionDialog) => void;
  /** Tells screen readers. */
  onAnnounce: (text: string) => void;
  onGoTo: (messageId: string) => void;
  onRetry: (id: string) => void;
  onDiscard: (id: string) => void;
}

const MemoItem = memo(Item, arePropsEqual);

/** If a message cannot be drawn, only this message is replaced, not the whole conversation. */
export function MessageItem(props: MessageItemProps) {
  return (
    <ErrorBoundary
      resetKey={props.message}
      fallback={(retry) => <MessageError {...props} onRetryDraw={retry} />}
    >
      <MemoItem {...props} />
    </ErrorBoundary>
  );
}

function MessageError({ onRetryDraw, ...props }: MessageItemProps & { onRetryDraw: () => void }) {
  const { t } = useLanguage();
  return (
    <article
      ref={props.measure}
      data-index={props.index}
      data-testid="message"
      className="message"
      style={{ transform: `translateY(${props.top}px)` }}
      aria-posinset={props.index + 1}
      aria-setsize={props.count}
      tabIndex={-1}
    >
      <div className="message-error">
        <span>{t('broken.message')}</span>
        <button type="button" className="button small" onClick={onRetryDraw}>
          {t('tryAgain')}
        </button>
      </div>
    </article>
  );
}

/** `place` is a new object on every draw of the list, so its fields are compared. */
function arePropsEqual(before: MessageItemProps, now: MessageItemProps): boolean {
  const { groupPosition: one, ...rest } = before;
  const { groupPosition: other, ...others } = now;
  const isSamePlace =
    one.startsDay === other.startsDay &&
    one.startsGroup === other.startsGroup &&
    one.endsGroup === other.endsGroup;
  return (
    isSamePlace && (Object.keys(rest) as (keyof typeof rest)[]).every((name) => rest[name] === others[name])
  );
}

function Item(props: MessageItemProps) {
  const { message, groupPosition, quoted, isGroup, onMenu, onTarget } = props;
  const { language, t } = useLanguage();
  const named = useNamedUser(message.isMine ? null : message.sender_id);
  const today = useToday();
  const me = useSession()?.me ?? 0;
  const reactions = useReactions(message.conversation_id, message.id);
  const [isHovered, setHovered] = useState(false);
  const canAct = message.seq > 0 && !message.deleted_at;
  const time = formatTime(language, message.created_at);
  const openMenu = (event: MouseEvent) => {
    // A selection or a link has the browser's own menu.
    if (String(getSelection()) || (event.target as Element).closest('a')) return;
    event.preventDefault();
    onMenu(message, event.currentTarget.querySelector('.bubble') ?? event.currentTarget);
  };
  const handleKey = (event: KeyboardEvent<HTMLElement>) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === 'Enter' || event.key === 'ContextMenu') {
      event.preventDefault();
      onMenu(message, event.currentTarget.querySelector('.bubble') ?? event.currentTarget);
    } else if (event.key === 'r') {
      event.preventDefault();
      onTarget({ kind: 'reply', message });
    }
  };
  const hasSender = !message.isMine && isGroup && groupPosition.startsGroup;
  return (
    <article
      ref={props.measure}
      data-index={props.index}
      data-key={message.key}
      data-testid="message"
      data-status={message.status}
      className={mentionsUser(message, me) ? `${classOf(props)} mentions-me` : classOf(props)}
      style={{ transform: `translateY(${props.top}px)` }}
      aria-posinset={props.index + 1}
      aria-setsize={props.count}
      aria-describedby={
        reactions.reactions.length > 0
          ? `bubble-${props.index} reactions-${props.index}`
          : `bubble-${props.index}`
      }
      aria-label={t('message.from', { name: message.isMine ? t('you') : named.name, time })}
      tabIndex={props.isCurrent ? 0 : -1}
      onFocus={() => props.onFocus(message.key)}
      onKeyDown={handleKey}
      onContextMenu={openMenu}
      onPointerEnter={({ pointerType }) => setHovered(pointerType === 'mouse')}
      onPointerLeave={() => setHovered(false)}
    >
      {groupPosition.startsDay && (
        <h3 className="day">{formatDay(language, t, message.created_at, today)}</h3>
      )}
      {props.startsUnread && <p className="unread-divider">{t('messages.new')}</p>}
      <div className="row">
        {isGroup && !message.isMine && (
          <span className="row-avatar">
            {groupPosition.endsGroup && <UserAvatar id={message.sender_id} />}
          </span>
        )}
        <div className="bubble" id={`bubble-${props.index}`}>
          {hasSender && (
            <p className={`sender ink-${message.sender_id % 8}`} dir="auto">
              <NameText {...named} />
            </p>
          )}
          {message.reply_to && !message.deleted_at && <Quote quoted={quoted} onGoTo={props.onGoTo} />}
          <MessageBody
            message={message}
            marks={props.marks}
            isCurrent={props.isCurrent}
            onDiscard={props.onDiscard}
          />
          <span className="meta">
            {message.edited_at && !message.deleted_at && <span>{t('message.edited')}</span>}
            <time dateTime={message.created_at} title={formatDateTime(language, message.created_at)}>
              {time}
            </time>
            {message.isMine && <StatusIcon status={message.status} />}
          </span>
        </div>
        {canAct && isHovered && <HoverReactions {...props} />}
        {canAct && (
          <button
            type="button"
            className="icon-button message-menu-button"
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
      {canAct && (
        <Reactions
          id={`reactions-${props.index}`}
          message={message}
          view={reactions}
          isCurrent={props.isCurrent}
          onDialog={props.onReactionDialog}
        />
      )}
      {message.failure && <FailedLine {...props} />}
    </article>
  );
}

function HoverReactions({ message, onReactionDialog, onAnnounce }: MessageItemProps) {
  const view = useReactions(message.conversation_id, message.id);
  const choose = useChooseReaction(message, onAnnounce);
  if (!useFeature('reactions')) return null;
  return (
    <div className="hover-reactions">
      <QuickReactions
        view={view}
        onChoose={choose}
        onMore={() => onReactionDialog({ kind: 'pick', message })}
      />
    </div>
  );
}

function FailedLine({ message, onRetry, onDiscard, isCurrent }: MessageItemProps) {
  const { t } = useLanguage();
  const id = message.client_message_id ?? '';
  const tabIndex = isCurrent ? 0 : -1;
  return (
    <p className="failed-line">
      <Icon name="warning" />
      <span>{message.failure && t('status.failed', { reason: failureText(t, message.failure) })}</span>
      <button type="button" className="button small" tabIndex={tabIndex} onClick={() => onRetry(id)}>
        {t('message.retry')}
      </button>
      <button type="button" className="button small" tabIndex={tabIndex} onClick={() => onDiscard(id)}>
        {t('message.discard')}
      </button>
    </p>
  );
}

function classOf({ message, groupPosition: place, isFound, marks }: MessageItemProps): string {
  return [
    'message',
    message.isMine ? 'mine' : 'theirs',
    place.startsGroup && 'starts',
    place.endsGroup && 'ends',
    message.deleted_at && 'deleted',
    isFound && 'found',
    marks?.isCurrent && 'current-hit',
  ]
    .filter(Boolean)
    .join(' ');
}
