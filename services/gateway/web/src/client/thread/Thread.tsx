/** An open conversation: its header, its messages, the typing line, and the composer. */

import {
  useConversation,
  useConversations,
  useFeature,
  useMessages,
  useOutbox,
  useParticipants,
} from '@messenger/react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useDraftFiles, useFileDrop } from '../files/useDraftFiles.ts';
import { useT } from '../i18n/language.tsx';
import { SafePart } from '../parts/ErrorFallback.tsx';
import { LazyDialog, lazyDialog } from '../parts/LazyDialog.tsx';
import { LazyPart } from '../parts/LazyPart.tsx';
import { Composer } from './Composer.tsx';
import { MessageList } from './MessageList.tsx';
import { type Marks, NO_MARKS } from './marks.ts';
import { canWriteIn } from './messageActions.ts';
import { ThreadHead } from './ThreadHead.tsx';
import { TypingLine } from './TypingLine.tsx';
import { type ComposerTarget, useComposerTarget } from './useComposerTarget.ts';
import { useFind } from './useFind.ts';
import type { JumpTarget } from './useJump.ts';

const findBar = lazyDialog(() => import('../search/FindBar.tsx'));
const loadOffer = () => import('../push/PushOffer.tsx');

export interface ThreadProps {
  id: string;
  /** The message to go to. */
  target: JumpTarget | null;
  onLeave: () => void;
}

export function Thread({ id, target, onLeave }: ThreadProps) {
  const t = useT();
  const row = useConversation(id);
  const { status } = useConversations();
  const view = useMessages(id);
  const targetState = useComposerTarget(id);
  const box = useRef<HTMLTextAreaElement>(null);
  const { role } = useParticipants(id);
  const canAdd = !!row && canWriteIn(row, role) && targetState.target?.kind !== 'edit';
  const files = useDraftFiles(id, canAdd);
  const drop = useFileDrop(files);
  const setTarget = targetState.setTarget;
  const startTarget = useCallback(
    (next: ComposerTarget) => {
      setTarget(next);
      box.current?.focus();
    },
    [setTarget],
  );
  const [jumpTarget, setJumpTarget] = useState<JumpTarget | null>(target);
  useEffect(() => {
    if (target) setJumpTarget(target);
  }, [target]);
  const jumpTo = useCallback((messageId: string) => setJumpTarget({ messageId }), []);
  const find = useFind(box);
  const [marks, setMarks] = useState<Marks>(NO_MARKS);
  const hasSent = useHasSent(id);
  const mayOffer = useFeature('push') && hasSent;
  if (!row) {
    return (
      <div className="empty-state">
        {status === 'ready' && <h2>{t('conversation.missing')}</h2>}
        <button type="button" className="button" onClick={onLeave}>
          {t('back')}
        </button>
      </div>
    );
  }
  return (
    <section className="thread" aria-label={t('messages')} onKeyDown={find.handleKey} {...drop.props}>
      <ThreadHead row={row} isHidden={find.isOpen} onFind={find.open} onLeave={onLeave} />
      {find.isOpen && (
        <LazyDialog
          loader={findBar}
          props={{
            row,
            request: find.request,
            onJump: setJumpTarget,
            onMarks: setMarks,
            onClose: find.close,
          }}
        />
      )}
      <SafePart>
        <MessageList
          row={row}
          view={view}
          jumpTarget={jumpTarget}
          onTarget={startTarget}
          onJump={jumpTo}
          marks={marks}
        />
      </SafePart>
      <TypingLine id={id} />
      {mayOffer && <LazyPart load={loadOffer} props={{}} />}
      <SafePart>
        <Composer
          row={row}
          view={view}
          files={files}
          targetState={targetState}
          onTarget={startTarget}
          box={box}
        />
      </SafePart>
      {drop.isOver && <p className="drop-here">{t('files.drop')}</p>}
    </section>
  );
}

/** Whether a message of the user's to the conversation was waiting to be stored since they opened it. */
function useHasSent(id: string): boolean {
  const isSending = useOutbox().some((entry) => entry.conversation_id === id);
  const [hasSent, setSent] = useState(false);
  useEffect(() => {
    if (isSending) setSent(true);
  }, [isSending]);
  return hasSent;
}
