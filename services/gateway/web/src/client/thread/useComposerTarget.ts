/**
 * Holds the message that the composer replies to or edits, if any. It is saved like a draft, and the text of
 * an edit on every key press, so that leaving the conversation or reloading the page loses nothing.
 */

import { type ChatMessage, useSession } from '@messenger/react';
import { useCallback, useMemo, useState } from 'react';

export type ComposerTarget = { kind: 'reply' | 'edit'; message: ChatMessage } | null;

export interface ComposerTargetState {
  target: ComposerTarget;
  /** The text of the edit so far. */
  editText: string;
  setTarget: (target: ComposerTarget) => void;
  setEditText: (text: string) => void;
  /** Call when the reply or the edit is sent or cancelled. This removes what was saved. */
  clearTarget: () => void;
}

export function useComposerTarget(conversationId: string): ComposerTargetState {
  const drafts = useSession()?.drafts;
  // The stored name, which must not change.
  const key = `${conversationId} aim`;
  const [target, setTargetState] = useState(() => parseTarget(drafts?.of(key).get() ?? ''));
  const [editText, setEditTextState] = useState(() => savedEditText(drafts, target));

  const setTarget = useCallback(
    (next: ComposerTarget) => {
      setTargetState(next);
      setEditTextState(savedEditText(drafts, next));
      drafts?.set(key, next ? JSON.stringify(next) : '');
    },
    [drafts, key],
  );
  const setEditText = useCallback(
    (text: string) => {
      setEditTextState(text);
      if (target) drafts?.set(editDraftKey(target.message), text === target.message.content ? '' : text);
    },
    [drafts, target],
  );
  const clearTarget = useCallback(() => {
    if (target?.kind === 'edit') drafts?.set(editDraftKey(target.message), '');
    setTarget(null);
  }, [drafts, target, setTarget]);
  return useMemo(
    () => ({ target, editText, setTarget, setEditText, clearTarget }),
    [target, editText, setTarget, setEditText, clearTarget],
  );
}

type Drafts = NonNullable<ReturnType<typeof useSession>>['drafts'];

const editDraftKey = (message: ChatMessage) => `${message.id} edit`;

function savedEditText(drafts: Drafts | undefined, target: ComposerTarget): string {
  if (target?.kind !== 'edit') return '';
  return drafts?.of(editDraftKey(target.message)).get() || (target.message.content ?? '');
}

/** Returns null for data of an earlier version, or anything else that is not valid. */
function parseTarget(saved: string): ComposerTarget {
  try {
    const target = JSON.parse(saved) as ComposerTarget;
    const isTarget =
      target && ['reply', 'edit'].includes(target.kind) && typeof target.message.id === 'string';
    return isTarget ? target : null;
  } catch {
    return null;
  }
}
