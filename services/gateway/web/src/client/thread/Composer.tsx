/** The box for a new message, a reply, or the new text of an old message. Typed text is never lost. */

import {
  type ChatMessage,
  type ConversationRow,
  isBlank,
  type MentionFields,
  type MessagesView,
  useDraft,
  useParticipants,
  useTyping,
  useWebSocket,
} from '@messenger/react';
import { type KeyboardEvent, type RefObject, useEffect, useId, useRef } from 'react';
import { AttachButton } from '../files/AttachButton.tsx';
import { UploadTray } from '../files/UploadTray.tsx';
import type { DraftFiles } from '../files/useDraftFiles.ts';
import { usePostponedSend } from '../files/usePostponedSend.ts';
import { useT } from '../i18n/language.tsx';
import { useTitle } from '../parts/conversationTitle.ts';
import { FailureText } from '../parts/FailureText.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useUserName } from '../parts/UserName.tsx';
import { useAction } from '../parts/useAction.ts';
import { usePreview } from '../parts/usePreview.ts';
import { useTextField } from '../parts/useTextField.ts';
import { truncate } from '../text/graphemes.ts';
import { draftMentionsOf, mentionFieldsOf } from '../text/mentionFields.ts';
import { MentionMarks } from './MentionMarks.tsx';
import { MentionPopup } from './MentionPopup.tsx';
import { canWriteIn, hasFile } from './messageActions.ts';
import { type Replace, useComposerMentions } from './useComposerMentions.ts';
import type { ComposerTarget, ComposerTargetState } from './useComposerTarget.ts';

const DEFAULT_MAX_CHARS = 10_000;
const SHOW_COUNT_BELOW = 500;
const TARGET_PREVIEW_CHARS = 140;

export interface ComposerProps {
  row: ConversationRow;
  view: MessagesView;
  files: DraftFiles;
  targetState: ComposerTargetState;
  onTarget: (target: ComposerTarget) => void;
  box: RefObject<HTMLTextAreaElement | null>;
}

export function Composer(props: ComposerProps) {
  const t = useT();
  const { role } = useParticipants(props.row.id);
  if (!canWriteIn(props.row, role)) return <p className="composer-disabled quiet">{t('compose.observer')}</p>;
  return <Box {...props} />;
}

function Box({ row, view, files, targetState, onTarget, box }: ComposerProps) {
  const t = useT();
  const { title } = useTitle(row);
  const draft = useDraft(row.id);
  const typing = useTyping(row.id);
  const { isBusy, failure, run, clearFailure } = useAction();
  const { target, editText, setEditText } = targetState;
  const edited = target?.kind === 'edit' ? target.message : null;
  const text = edited ? editText : draft.text;
  const charsLeft = useCharsLeft(text);
  const listId = useId();
  const line = useRef<HTMLDivElement>(null);
  const replaceText = useRef<Replace>(null);
  const draftId = edited?.id ?? row.id;
  const mentions = useComposerMentions({ box, replace: replaceText, text, draftId, edited });
  const latest = useRef({ target, view });
  useEffect(() => {
    latest.current = { target, view };
  });
  const cancelTarget = () => {
    if (edited) mentions.clear();
    targetState.clearTarget();
    box.current?.focus();
  };

  useAutoHeight(box, text);
  useCaretAtEnd(box, edited?.id ?? null);

  const onChange = (typed: string, inputType: string) => {
    clearFailure();
    mentions.change(typed, inputType);
    if (edited) return setEditText(typed);
    draft.change(typed);
    if (!isBlank(typed)) typing.type();
    else typing.stop();
  };

  const uploads = edited ? [] : files.uploads;
  // A message with a file may have no text.
  const hasFiles = edited ? hasFile(edited) : uploads.length > 0 || files.isAdding;
  const isEmptyMessage = (content: string) => isBlank(content) && !hasFiles;
  const isBlocked = charsLeft < 0 || isBusy || (!edited && files.hasFailed);

  const send = async () => {
    const typed = box.current?.value ?? text;
    const content = typed.trim();
    if (isEmptyMessage(content) || isBlocked) return;
    if (edited) return save(edited, content, mentions.fields(typed));
    if (hasToWait()) return;
    const fields = mentions.fields(typed);
    const kept = view.send({
      content,
      ...fields,
      ...(target ? { reply_to: target.message.id } : {}),
      ...(uploads.length > 0 ? { uploads: uploads.map((upload) => upload.id) } : {}),
    });
    draft.sent(typed, kept);
    mentions.clear();
    cancelTarget();
  };
  const hasToWait = usePostponedSend(files, box, () => void send());

  const save = async (message: ChatMessage, content: string, mentioned: MentionFields) => {
    const isSame = content === message.content && hasMentions(message, mentioned);
    const isDone = isSame || (await run(() => view.edit(message, content, mentioned)));
    // The user may have turned to another message in the meantime, or gone on typing.
    if (latest.current.target?.message.id !== message.id) return;
    if (isDone && box.current?.value.trim() === content) return cancelTarget();
    // Another session may have edited the message. The next try is based on the current version, and keeps
    // the text in the box.
    const current = latest.current.view.messages.find(({ id }) => id === message.id);
    if (current && current.version !== message.version) onTarget({ kind: 'edit', message: current });
  };

  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (mentions.handleKey(event)) return;
    if (event.key === 'Escape' && target) cancelTarget();
    else if (event.key === 'ArrowUp' && text === '' && !target) editLast(event, view, onTarget);
  };
  const onEnter = (hasEnded: boolean) => {
    if (!mentions.handleEnter(hasEnded)) void send();
  };
  const field = useTextField({ field: box, value: text, onChange, onEnter, onKey });
  const { props, commitComposition } = field;
  useEffect(() => {
    replaceText.current = field.replace;
  });

  return (
    <div className="composer">
      {target && <TargetLine target={target} onCancel={cancelTarget} />}
      <FailureText failure={failure} />
      {!edited && <UploadTray files={files} />}
      <MentionPopup
        id={listId}
        row={row}
        messages={view.messages}
        mentions={mentions}
        anchor={line}
        onPick={mentions.pick}
      />
      <div className="composer-line" ref={line}>
        <div className="composer-text">
          {mentions.mentions.length > 0 && (
            <MentionMarks box={box} text={props.value} mentions={mentions.mentions} />
          )}
          <textarea
            ref={box}
            rows={1}
            dir="auto"
            {...props}
            onSelect={mentions.followCaret}
            onBlur={mentions.closeList}
            onPaste={files.onPaste}
            aria-autocomplete="list"
            aria-controls={mentions.active === undefined ? undefined : listId}
            aria-activedescendant={mentions.active ?? undefined}
            aria-label={t('compose.label')}
            aria-invalid={charsLeft < 0}
            placeholder={t('compose.to', { name: title })}
            enterKeyHint="send"
          />
        </div>
        {charsLeft < SHOW_COUNT_BELOW && (
          <span className={charsLeft < 0 ? 'chars-left over' : 'chars-left'}>
            {charsLeft < 0
              ? t('compose.over', { count: -charsLeft })
              : t('compose.left', { count: charsLeft })}
          </span>
        )}
        {files.isOn && <AttachButton onFiles={files.add} />}
        <button
          type="button"
          className="icon-button primary send"
          disabled={isEmptyMessage(text) || isBlocked}
          // This keeps the keyboard of a phone open.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => {
            commitComposition();
            void send();
          }}
          title={t(edited ? 'save' : 'compose.send')}
        >
          <Icon name={edited ? 'check' : 'send'} />
          <span className="sr-only">{t(edited ? 'save' : 'compose.send')}</span>
        </button>
      </div>
    </div>
  );
}

/** Whether a message mentions the same users in the same places. */
function hasMentions(message: ChatMessage, mentioned: MentionFields): boolean {
  const own = mentionFieldsOf(message.content ?? '', draftMentionsOf(message), message);
  return JSON.stringify(own) === JSON.stringify(mentioned);
}

/** The line above the box that shows which message is replied to or edited. */
function TargetLine({ target, onCancel }: { target: NonNullable<ComposerTarget>; onCancel: () => void }) {
  const t = useT();
  const name = useUserName(target.message.sender_id);
  const preview = usePreview(target.message);
  const label =
    target.kind === 'edit'
      ? t('compose.editing')
      : t('compose.replying', { name: target.message.isMine ? t('you') : name });
  return (
    <div className="composer-target">
      <Icon name={target.kind} />
      <div className="composer-target-text">
        <strong>{label}</strong>
        <span dir="auto">{truncate(preview, TARGET_PREVIEW_CHARS)}</span>
      </div>
      <button type="button" className="icon-button" onClick={onCancel} title={t('cancel')}>
        <Icon name="close" />
        <span className="sr-only">{t('cancel')}</span>
      </button>
    </div>
  );
}

/** The gateway counts characters, while JavaScript counts UTF-16 units. */
function useCharsLeft(text: string): number {
  const { state } = useWebSocket();
  const limit = state.phase === 'online' ? state.connected.limits.content_chars : DEFAULT_MAX_CHARS;
  return limit - (text.length > limit - SHOW_COUNT_BELOW ? [...text].length : text.length);
}

/** Makes the box as high as its text, up to the limit in the style sheet. */
function useAutoHeight(box: RefObject<HTMLTextAreaElement | null>, text: string): void {
  useEffect(() => {
    const element = box.current;
    if (!element || CSS.supports('field-sizing', 'content')) return;
    element.style.height = 'auto';
    // An empty box does not have to be measured.
    if (text) element.style.height = `${element.scrollHeight}px`;
  }, [box, text]);
}

/**
 * Sets the caret behind the text. On touch devices this does not focus the box, because the keyboard would
 * hide the messages.
 */
function useCaretAtEnd(box: RefObject<HTMLTextAreaElement | null>, edited: string | null): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs again when another message is edited, whose text is then in the box
  useEffect(() => {
    const element = box.current;
    if (!element || !matchMedia('(hover: hover)').matches) return;
    element.focus({ preventScroll: true });
    element.setSelectionRange(element.value.length, element.value.length);
  }, [box, edited]);
}

function editLast(
  event: KeyboardEvent,
  view: MessagesView,
  onTarget: (target: ComposerTarget) => void,
): void {
  const last = view.messages.findLast((message) => message.isMine && message.seq > 0 && !message.deleted_at);
  if (!last || (last.message_type !== 'text' && !hasFile(last))) return;
  event.preventDefault();
  onTarget({ kind: 'edit', message: last });
}
