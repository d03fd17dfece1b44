/**
 * Holds the mentions in the text of the composer, and the name that is being typed behind an `@`. The mentions are
 * saved beside the draft, so that they outlive the page.
 */

import { type ChatMessage, type MentionFields, useDraft } from '@messenger/react';
import { type KeyboardEvent, type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import {
  type DraftMention,
  type MentionQuery,
  mentionBeside,
  queryAt,
  restOfMention,
  standing,
  trackEdit,
} from '../text/draftMentions.ts';
import { draftMentionsOf, mentionFieldsOf } from '../text/mentionFields.ts';
import type { MentionListControl, MentionOption } from './MentionList.tsx';

/** Replaces a part of the text as if the user had typed it. */
export type Replace = (start: number, end: number, text: string) => void;

export interface ComposerMentions {
  mentions: readonly DraftMention[];
  /** What is typed of a name. Null if the list of names is not wanted. */
  query: MentionQuery | null;
  /** The id of the list's current option: null if there is none, undefined if no list is shown. */
  active: string | null | undefined;
  setActive: (id: string | null | undefined) => void;
  list: RefObject<MentionListControl | null>;
  /** Call for each change, before the text is saved. */
  change: (typed: string, inputType: string) => void;
  /** Call when the caret has moved. */
  followCaret: () => void;
  closeList: () => void;
  pick: (option: MentionOption) => void;
  /** Returns whether the key was for the list. */
  handleKey: (event: KeyboardEvent<HTMLTextAreaElement>) => boolean;
  handleEnter: (hasEndedComposition: boolean) => boolean;
  fields: (typed: string) => MentionFields;
  clear: () => void;
}

export interface ComposerMentionsOptions {
  box: RefObject<HTMLTextAreaElement | null>;
  replace: RefObject<Replace | null>;
  text: string;
  /** The id under which the text is saved. */
  draftId: string;
  edited: ChatMessage | null;
}

/** A name in Hangul gets no space, because a particle may follow directly. */
const HANGUL_END = /[\uac00-\ud7a3]$/;

export function useComposerMentions(options: ComposerMentionsOptions): ComposerMentions {
  const { box, replace, text, edited } = options;
  const { mentions, save, clear } = useSavedMentions(options);
  const [caret, setCaret] = useState<number | null>(null);
  const [dismissed, setDismissed] = useState<number | null>(null);
  const [active, setActive] = useState<string | null | undefined>(undefined);
  const list = useRef<MentionListControl>(null);
  const picked = useRef<DraftMention | null>(null);
  const history = useUndoneMentions();
  const rest = useRestDeletion(replace);
  const found = caret === null ? null : queryAt(text, caret, mentions);
  const query = found?.start === dismissed ? null : found;
  const isNone = found === null;
  useEffect(() => {
    if (isNone) setDismissed(null);
  }, [isNone]);

  const followCaret = () => {
    const element = box.current;
    const isCollapsed = element && element.selectionStart === element.selectionEnd;
    setCaret(isCollapsed ? element.selectionStart : null);
  };
  const change = (typed: string, inputType: string) => {
    const at = box.current?.selectionStart ?? typed.length;
    const undone = inputType.startsWith('history') ? history.find(typed) : null;
    const kept = undone ?? trackEdit(mentions, text, typed, at);
    const isPicked = picked.current && typed.startsWith(picked.current.label, picked.current.start);
    const next = picked.current && isPicked ? [...kept, picked.current] : [...kept];
    next.sort((one, other) => one.start - other.start);
    picked.current = null;
    rest.current = inputType.startsWith('deleteContent') ? restOfMention(mentions, text, typed, at) : null;
    history.note(text, mentions);
    history.note(typed, next);
    save(next);
    followCaret();
  };
  const pick = ({ user, name }: MentionOption) => {
    if (!found || caret === null) return;
    const label = `@${name}`;
    picked.current = { user, start: found.start, label };
    replace.current?.(found.start, caret, HANGUL_END.test(name) ? label : `${label} `);
    picked.current = null;
  };
  const handleKey = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (active !== undefined && handleListKey(event, list.current, () => setDismissed(found?.start ?? null)))
      return true;
    selectUnit(event, mentions);
    return false;
  };
  return {
    mentions,
    query,
    active,
    setActive,
    list,
    change,
    followCaret,
    closeList: () => setCaret(null),
    pick,
    handleKey,
    // A press that ends a syllable is not meant for the list, which has changed with the syllable.
    handleEnter: (hasEnded) => !!active && (hasEnded || !!list.current?.pick()),
    fields: (typed) => mentionFieldsOf(typed, mentions, edited),
    clear,
  };
}

function handleListKey(event: KeyboardEvent, list: MentionListControl | null, dismiss: () => void): boolean {
  if (event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return false;
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : null;
  if (event.key === 'Escape') {
    // What is around the composer stays open.
    event.stopPropagation();
    dismiss();
  } else if (step !== null ? !list?.move(step) : event.key !== 'Tab' || !list?.pick()) return false;
  event.preventDefault();
  return true;
}

/** The browser then deletes the whole mention, in one step of its history. */
function selectUnit(event: KeyboardEvent<HTMLTextAreaElement>, mentions: readonly DraftMention[]): void {
  const { selectionStart, selectionEnd } = event.currentTarget;
  const unit = selectionStart === selectionEnd && mentionBeside(mentions, selectionStart, event.key);
  if (unit) event.currentTarget.setSelectionRange(unit.start, unit.start + unit.label.length);
}

/** The mentions of a message that is edited are its own until the edit changes them. */
function useSavedMentions({ text, draftId, edited }: ComposerMentionsOptions) {
  const saved = useDraft(`${draftId} mentions`);
  const mentions = useMemo(
    () => standing(parseMentions(saved.text) ?? (edited ? draftMentionsOf(edited) : []), text),
    [saved.text, edited, text],
  );
  const save = (next: readonly DraftMention[]) => {
    const written = next.length > 0 || edited ? JSON.stringify(next) : '';
    if (written !== saved.text) saved.change(written);
  };
  return { mentions, save, clear: () => saved.change('') };
}

/** Returns null for anything that is not valid. */
function parseMentions(saved: string): DraftMention[] | null {
  try {
    const found = JSON.parse(saved) as DraftMention[];
    const isValid = ({ user, start, label }: DraftMention) =>
      (user === 'all' || Number.isInteger(user)) && Number.isInteger(start) && typeof label === 'string';
    return found.every(isValid) ? found : null;
  } catch {
    return null;
  }
}

const MAX_NOTED = 200;

/** Remembers the mentions of earlier texts, for undo and redo. */
function useUndoneMentions() {
  const noted = useRef(new Map<string, readonly DraftMention[]>());
  return {
    find: (text: string): readonly DraftMention[] | null => noted.current.get(text) ?? null,
    note: (text: string, mentions: readonly DraftMention[]) => {
      noted.current.delete(text);
      noted.current.set(text, mentions);
      const [oldest] = noted.current.keys();
      if (noted.current.size > MAX_NOTED && oldest !== undefined) noted.current.delete(oldest);
    },
  };
}

interface Rest {
  start: number;
  end: number;
}

/** Phones tell of no Backspace key. There the rest of a mention is deleted after its last or first character. */
function useRestDeletion(replace: RefObject<Replace | null>): RefObject<Rest | null> {
  const rest = useRef<Rest | null>(null);
  useEffect(() => {
    const due = rest.current;
    rest.current = null;
    if (due) replace.current?.(due.start, due.end, '');
  });
  return rest;
}
