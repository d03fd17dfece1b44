/**
 * The dialog to choose an emoji. The focus starts in the search, from where the down key leads to the emoji and Enter
 * takes the first one. On touch screens it doesn't, since the keyboard would cover the emoji.
 */

import { isBlank, useSession } from '@messenger/react';
import { type KeyboardEvent, useId, useRef, useState } from 'react';
import { EMOJI, EMOJI_GROUPS, type Emoji, type EmojiGroup, findEmoji } from '../emoji/emojiList.ts';
import { recentEmoji, rememberEmoji, useSkinTone } from '../emoji/emojiPreferences.ts';
import { searchEmoji } from '../emoji/searchEmoji.ts';
import { withTone } from '../emoji/skinTones.ts';
import { useLanguage } from '../i18n/language.tsx';
import { useTextField } from '../parts/useTextField.ts';
import { DialogFrame } from './DialogFrame.tsx';
import { EmojiGrid, focusFirstCell, type GridEmoji } from './EmojiGrid.tsx';
import { EmojiGroups } from './EmojiGroups.tsx';
import { SkinTones } from './SkinTones.tsx';
import '../styles/emoji.css';

export interface EmojiPickerProps {
  onChoose: (emoji: string) => void;
  onClose: () => void;
}

export default function EmojiPicker({ onChoose, onClose }: EmojiPickerProps) {
  const { language, t } = useLanguage();
  const me = useSession()?.me ?? 0;
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const grid = useRef<HTMLDivElement>(null);
  const [query, setQuery] = useState('');
  const [recent] = useState(() => recentEmoji(me));
  const [group, setGroup] = useState<EmojiGroup | 'recent'>(recent.length > 0 ? 'recent' : 'smileys');
  const [tone, setTone] = useSkinTone(me);
  const [name, setName] = useState('');

  const isSearching = !isBlank(query);
  const shown = (emoji: Emoji): GridEmoji => ({
    emoji: emoji.hasTones ? withTone(emoji.emoji, tone) : emoji.emoji,
    name: emoji.names[language],
  });
  const ofGroup = (): GridEmoji[] =>
    group === 'recent'
      ? // A recent emoji may have a skin tone, and is shown as it was used.
        recent.map((emoji) => ({ emoji, name: findEmoji(emoji)?.names[language] ?? emoji }))
      : EMOJI.filter((emoji) => emoji.group === group).map(shown);
  const cells = isSearching ? searchEmoji(query).map(shown) : ofGroup();

  const choose = (emoji: string) => {
    rememberEmoji(me, emoji);
    onChoose(emoji);
    onClose();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    focusFirstCell(grid.current);
  };
  const { props } = useTextField({
    field,
    value: query,
    onChange: setQuery,
    onEnter: () => isSearching && cells[0] && choose(cells[0].emoji),
    onKey,
  });
  const isTouch = matchMedia('(hover: none)').matches;

  return (
    <DialogFrame title={t('emoji.title')} onClose={onClose} initialFocus={isTouch ? undefined : field}>
      <div className="emoji-picker">
        <input
          {...props}
          ref={field}
          type="search"
          className="field"
          dir="auto"
          aria-label={t('emoji.search')}
          placeholder={t('emoji.search')}
          aria-controls={`${id}-panel`}
          autoComplete="off"
          spellCheck={false}
        />
        <EmojiGroups
          id={id}
          groups={recent.length > 0 ? ['recent', ...EMOJI_GROUPS] : EMOJI_GROUPS}
          chosen={isSearching ? null : group}
          onChoose={(chosen) => {
            setQuery('');
            setGroup(chosen);
          }}
        />
        <EmojiGrid
          key={isSearching ? query : group}
          grid={grid}
          id={`${id}-panel`}
          label={t(isSearching ? 'emoji.search' : `emoji.${group}`)}
          cells={cells}
          onChoose={choose}
          onName={setName}
          onLeave={() => field.current?.focus()}
        />
        <footer className="emoji-footer">
          <p className="emoji-name">{name}</p>
          <SkinTones tone={tone} onChoose={setTone} />
        </footer>
        <p className="sr-only" role="status">
          {isSearching ? t('emoji.results', { count: cells.length }) : ''}
        </p>
      </div>
    </DialogFrame>
  );
}
