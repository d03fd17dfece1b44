/** Owns writing: a new message, a reply, or another text for an old one. Nothing typed is lost on any way. */

import {
  type ChatMessage,
  type ConversationRow,
  type MessagesView,
  useDraft,
  useParticipants,
  useTyping,
  useWebSocket,
} from '@messenger/react';
import { type KeyboardEvent, type RefObject, useEffect, useState } from 'react';
import { usePersonName, useT } from '../i18n/language.tsx';
import { Failed } from '../parts/Failed.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useTitle } from '../parts/titles.ts';
import { useAct } from '../parts/useAct.ts';
import { canWriteIn } from './acts.ts';
import type { Aim } from './Thread.tsx';
import { useEnter } from './useEnter.ts';

const CONTENT_CHARS = 10_000;
const NEAR_LIMIT = 500;

export interface ComposerProps {
  row: ConversationRow;
  view: MessagesView;
  aim: Aim;
  onAim: (aim: Aim) => void;
  box: RefObject<HTMLTextAreaElement | null>;
}

export function Composer(props: ComposerProps) {
  const t = useT();
  const { role } = useParticipants(props.row.id);
  if (!canWriteIn(props.row, role)) return <p className="composer-none quiet">{t('compose.observer')}</p>;
  return <Box {...props} />;
}

function Box({ row, view, aim, onAim, box }: ComposerProps) {
  const t = useT();
  const { title } = useTitle(row);
  const draft = useDraft(row.id);
  const typing = useTyping(row.id);
  const { isBusy, failure, act, clear } = useAct();
  const edited = aim?.kind === 'edit' ? aim.message : null;
  const [edit, setEdit] = useState('');
  const text = edited ? edit : draft.text;
  const left = useLeft(text);

  useEffect(() => setEdit(edited?.content ?? ''), [edited]);
  useHeight(box, text);
  useCaret(box, edited);

  const change = (typed: string) => {
    clear();
    if (edited) return setEdit(typed);
    draft.change(typed);
    if (typed) typing.type();
    else typing.stop();
  };

  const send = async () => {
    const typed = box.current?.value ?? text;
    const said = typed.trim();
    if (!said || left < 0 || isBusy) return;
    if (edited) {
      const isDone = said === edited.content || (await act(() => view.edit(edited, said)));
      if (isDone) onAim(null);
      return;
    }
    const kept = view.send({ content: said, ...(aim ? { reply_to: aim.message.id } : {}) });
    draft.sent(typed, kept);
    onAim(null);
  };

  const enter = useEnter(() => void send());
  const keys = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === 'Escape' && aim) onAim(null);
    else if (event.key === 'ArrowUp' && text === '' && !aim) editLast(event, view, onAim);
    else enter.onKeyDown(event);
  };

  return (
    <div className="composer">
      {aim && <AimLine aim={aim} onCancel={() => onAim(null)} />}
      <Failed failure={failure} />
      <div className="composer-line">
        <textarea
          ref={box}
          rows={1}
          dir="auto"
          value={text}
          aria-label={t('compose.label')}
          aria-invalid={left < 0}
          placeholder={t('compose.to', { name: title })}
          enterKeyHint="send"
          {...enter}
          onKeyDown={keys}
          onChange={(event) => change(event.target.value)}
        />
        {left < NEAR_LIMIT && (
          <span className={left < 0 ? 'left over' : 'left'}>
            {left < 0 ? t('compose.over', { count: -left }) : t('compose.left', { count: left })}
          </span>
        )}
        <button
          type="button"
          className="icon-button primary send"
          disabled={!text.trim() || left < 0 || isBusy}
          // The keyboard of a phone stays open.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => void send()}
          title={t(edited ? 'save' : 'compose.send')}
        >
          <Icon name={edited ? 'check' : 'send'} />
          <span className="sr-only">{t(edited ? 'save' : 'compose.send')}</span>
        </button>
      </div>
    </div>
  );
}

/** Above the box: which message it is about. */
function AimLine({ aim, onCancel }: { aim: NonNullable<Aim>; onCancel: () => void }) {
  const t = useT();
  const name = usePersonName(aim.message.sender_id);
  const label =
    aim.kind === 'edit'
      ? t('compose.editing')
      : t('compose.replying', { name: aim.message.isMine ? t('you') : name });
  return (
    <div className="aim">
      <Icon name={aim.kind} />
      <div className="aim-text">
        <strong>{label}</strong>
        <span dir="auto">{aim.message.content ?? aim.message.file_name}</span>
      </div>
      <button type="button" className="icon-button" onClick={onCancel} title={t('cancel')}>
        <Icon name="close" />
        <span className="sr-only">{t('cancel')}</span>
      </button>
    </div>
  );
}

/** The gateway counts characters, and JavaScript halves of them. */
function useLeft(text: string): number {
  const { state } = useWebSocket();
  const limit = state.phase === 'online' ? state.connected.limits.content_chars : CONTENT_CHARS;
  return limit - (text.length > limit - NEAR_LIMIT ? [...text].length : text.length);
}

/** As high as its text, up to what the style sheet allows. */
function useHeight(box: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useEffect(() => {
    const element = box.current;
    if (!element || CSS.supports('field-sizing', 'content')) return;
    element.style.height = 'auto';
    // An empty box needs no measuring.
    if (text) element.style.height = `${element.scrollHeight}px`;
  }, [box, text]);
}

/** Where the user goes on: behind what is written. A touch keyboard would hide the messages, so there it waits. */
function useCaret(box: RefObject<HTMLTextAreaElement | null>, edited: ChatMessage | null): void {
  useEffect(() => {
    const element = box.current;
    if (!element || !matchMedia('(hover: hover)').matches) return;
    if (!edited) element.focus({ preventScroll: true });
    const end = (edited?.content ?? element.value).length;
    // When the text to be edited is in the box.
    const frame = requestAnimationFrame(() => element.setSelectionRange(end, end));
    return () => cancelAnimationFrame(frame);
  }, [box, edited]);
}

function editLast(event: KeyboardEvent, view: MessagesView, onAim: (aim: Aim) => void): void {
  const last = view.messages.findLast((message) => message.isMine && message.seq > 0 && !message.deleted_at);
  if (last?.message_type !== 'text') return;
  event.preventDefault();
  onAim({ kind: 'edit', message: last });
}
