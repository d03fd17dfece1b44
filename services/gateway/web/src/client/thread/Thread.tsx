/** An open conversation: its header, its messages, the typing line, and the composer. */

import { useConversation, useConversations, useMessages, useParticipants } from '@messenger/react';
import { useCallback, useRef, useState } from 'react';
import { useDraftFiles, useFileDrop } from '../files/useDraftFiles.ts';
import { useT } from '../i18n/language.tsx';
import { SafePart } from '../parts/ErrorFallback.tsx';
import { Composer } from './Composer.tsx';
import { MessageList } from './MessageList.tsx';
import { canWriteIn } from './messageActions.ts';
import { ThreadHead } from './ThreadHead.tsx';
import { TypingLine } from './TypingLine.tsx';
import { type ComposerTarget, useComposerTarget } from './useComposerTarget.ts';
import type { JumpTarget } from './useJump.ts';

export interface ThreadProps {
  id: string;
  onLeave: () => void;
}

export function Thread({ id, onLeave }: ThreadProps) {
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
  const [jumpTarget, setJumpTarget] = useState<JumpTarget | null>(null);
  const jumpTo = useCallback((seq: number) => setJumpTarget({ seq }), []);
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
    <section className="thread" aria-label={t('messages')} {...drop.props}>
      <ThreadHead row={row} onLeave={onLeave} />
      <SafePart>
        <MessageList row={row} view={view} jumpTarget={jumpTarget} onTarget={startTarget} onJump={jumpTo} />
      </SafePart>
      <TypingLine id={id} />
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
