/** The people whom the user is choosing: those chosen by name, and the user ids in the text field. */

import type { UserId } from '@messenger/react';
import { useState } from 'react';
import { parseUserIds } from './userIds.ts';

export interface PeopleChoice {
  chosen: readonly UserId[];
  /** The text in the field: the beginning of a name, or user ids. */
  text: string;
  setText: (text: string) => void;
  /** Takes a user, and empties the field. */
  choose: (id: UserId) => void;
  remove: (id: UserId) => void;
  clear: () => void;
  /** All of them, or null if there are none, or if the text is a name that nobody was chosen for. */
  ids: UserId[] | null;
}

/** With `isSingle`, the newest choice replaces the one before. */
export function usePeopleChoice(isSingle: boolean): PeopleChoice {
  const [chosen, setChosen] = useState<readonly UserId[]>([]);
  const [text, setText] = useState('');
  return {
    chosen,
    text,
    setText,
    choose: (id) => {
      setChosen((others) => (isSingle ? [id] : [...others.filter((each) => each !== id), id]));
      setText('');
    },
    remove: (id) => setChosen((all) => all.filter((each) => each !== id)),
    clear: () => {
      setChosen([]);
      setText('');
    },
    ids: allIds(chosen, text, isSingle),
  };
}

function allIds(chosen: readonly UserId[], text: string, isSingle: boolean): UserId[] | null {
  if (text.trim() === '') return chosen.length > 0 ? [...chosen] : null;
  const typed = parseUserIds(text);
  if (!typed) return null;
  return isSingle ? typed : [...new Set([...chosen, ...typed])];
}
