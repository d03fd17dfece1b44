/** The groups of emoji, as tabs. The left and right keys lead from one to the next. */

import type { KeyboardEvent } from 'react';
import type { EmojiGroup } from '../emoji/emojiList.ts';
import { useT } from '../i18n/language.tsx';

type Tab = EmojiGroup | 'recent';

const FACES: Record<Tab, string> = {
  recent: '🕘',
  smileys: '😀',
  people: '👋',
  nature: '🐻',
  food: '🍎',
  travel: '🚗',
  activities: '⚽',
  objects: '💡',
  symbols: '💯',
  flags: '🏁',
};

export interface EmojiGroupsProps {
  /** The tabs' ids begin with it; the panel's id is it with `-panel`. */
  id: string;
  groups: readonly Tab[];
  /** Null while the user searches in all of them. */
  chosen: Tab | null;
  onChoose: (group: Tab) => void;
}

export function EmojiGroups({ id, groups, chosen, onChoose }: EmojiGroupsProps) {
  const t = useT();
  const handleKey = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const at = groups.findIndex((group) => event.target === document.getElementById(`${id}-${group}`));
    const to = step && groups[(at + step + groups.length) % groups.length];
    if (!to) return;
    event.preventDefault();
    onChoose(to);
    document.getElementById(`${id}-${to}`)?.focus();
  };
  return (
    <div className="emoji-groups" role="tablist" aria-label={t('emoji.categories')} onKeyDown={handleKey}>
      {groups.map((group) => (
        <button
          key={group}
          id={`${id}-${group}`}
          type="button"
          role="tab"
          className="emoji-button"
          aria-selected={group === chosen}
          aria-controls={`${id}-panel`}
          aria-label={t(`emoji.${group}`)}
          title={t(`emoji.${group}`)}
          tabIndex={group === (chosen ?? groups[0]) ? 0 : -1}
          onClick={() => onChoose(group)}
        >
          {FACES[group]}
        </button>
      ))}
    </div>
  );
}
