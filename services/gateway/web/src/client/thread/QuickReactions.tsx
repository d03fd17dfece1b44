/** The emoji that are at hand: in a message's menu, and beside a message that the mouse is over. */

import type { ReactionsView } from '@messenger/react';
import { emojiKey, useSession } from '@messenger/react';
import { skinTone } from '../emoji/emojiPreferences.ts';
import { withTone } from '../emoji/skinTones.ts';
import { useT } from '../i18n/language.tsx';
import { Icon } from '../parts/Icon.tsx';

const QUICK = [
  { emoji: '👍', hasTones: true },
  { emoji: '❤️', hasTones: false },
  { emoji: '😂', hasTones: false },
  { emoji: '😮', hasTones: false },
  { emoji: '😢', hasTones: false },
  { emoji: '🙏', hasTones: true },
];

export interface QuickReactionsProps {
  view: ReactionsView;
  isInMenu?: boolean;
  onChoose: (emoji: string) => void;
  onMore: () => void;
}

/** The keyboard reaches them through the menu. */
export function QuickReactions({ view, isInMenu = false, onChoose, onMore }: QuickReactionsProps) {
  const t = useT();
  const tone = skinTone(useSession()?.me ?? 0);
  const isMine = (emoji: string) => view.mine.some((each) => emojiKey(each) === emojiKey(emoji));
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields.
    <div className="quick-reactions" role="group" aria-label={t('reactions.add')}>
      {QUICK.map(({ emoji, hasTones }) => (hasTones ? withTone(emoji, tone) : emoji)).map((emoji) => (
        <button
          key={emoji}
          type="button"
          className="emoji-button"
          tabIndex={-1}
          {...(isInMenu
            ? { role: 'menuitemcheckbox', 'aria-checked': isMine(emoji) }
            : { 'aria-pressed': isMine(emoji) })}
          onClick={() => onChoose(emoji)}
        >
          {emoji}
        </button>
      ))}
      <button
        type="button"
        className="emoji-button"
        tabIndex={-1}
        {...(isInMenu ? { role: 'menuitem' } : {})}
        aria-label={t('reactions.more')}
        title={t('reactions.more')}
        aria-haspopup="dialog"
        onClick={onMore}
      >
        <Icon name="plus" />
      </button>
    </div>
  );
}
