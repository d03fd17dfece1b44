/** The reactions below a message. */

import type { ChatMessage, Reaction, ReactionsView } from '@messenger/react';
import { useId, useRef, useState } from 'react';
import { useT } from '../i18n/language.tsx';
import { FailureText } from '../parts/FailureText.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useLongPress } from '../parts/useLongPress.ts';
import type { ReactionDialog } from './ReactionDialogs.tsx';
import { ReactionTooltip } from './ReactionTooltip.tsx';

export interface ReactionsProps {
  id: string;
  message: ChatMessage;
  view: ReactionsView;
  isCurrent: boolean;
  onDialog: (dialog: ReactionDialog) => void;
}

export function Reactions({ id, message, view, isCurrent, onDialog }: ReactionsProps) {
  const t = useT();
  const { reactions, failure, toggle } = view;
  if (reactions.length === 0 && failure === null) return null;
  const tabIndex = isCurrent ? 0 : -1;
  return (
    <div className="reactions" id={id} data-testid="reactions">
      {reactions.length > 0 && (
        <ul className="chips" aria-label={t('reactions.title')}>
          {reactions.map((reaction) => (
            <Chip
              key={reaction.emoji}
              reaction={reaction}
              tabIndex={tabIndex}
              onToggle={() => toggle(reaction.emoji)}
              onWho={() => onDialog({ kind: 'who', message, emoji: reaction.emoji })}
            />
          ))}
          <li>
            <button
              type="button"
              className="chip"
              tabIndex={tabIndex}
              aria-haspopup="dialog"
              aria-label={t('reactions.add')}
              title={t('reactions.add')}
              onClick={() => onDialog({ kind: 'pick', message })}
            >
              <Icon name="smile" />
            </button>
          </li>
        </ul>
      )}
      <FailureText failure={failure} />
    </div>
  );
}

interface ChipProps {
  reaction: Reaction;
  tabIndex: number;
  onToggle: () => void;
  /** Shows who reacted. */
  onWho: () => void;
}

function Chip({ reaction, tabIndex, onToggle, onWho }: ChipProps) {
  const t = useT();
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const [isShown, setShown] = useState(false);
  const { props: longPress, isClickTaken } = useLongPress(onWho);
  const { emoji, count, mine } = reaction;
  const hide = () => setShown(false);
  return (
    <li onPointerEnter={({ pointerType }) => pointerType === 'mouse' && setShown(true)} onPointerLeave={hide}>
      <button
        {...longPress}
        ref={button}
        type="button"
        className="chip"
        tabIndex={tabIndex}
        aria-pressed={mine}
        aria-label={t('reactions.chip', { emoji, count })}
        aria-describedby={isShown ? id : undefined}
        onClick={({ currentTarget }) => {
          if (isClickTaken()) return;
          // The chip goes with its last reaction, so its message takes the focus.
          if (mine && count === 1)
            currentTarget.closest<HTMLElement>('[data-key]')?.focus({ preventScroll: true });
          onToggle();
        }}
        onContextMenu={(event) => {
          event.preventDefault();
          event.stopPropagation();
          onWho();
        }}
        onFocus={(event) => event.target.matches(':focus-visible') && setShown(true)}
        onBlur={hide}
        onKeyDown={({ key }) => key === 'Escape' && hide()}
      >
        <span className="chip-emoji emoji">{emoji}</span>
        <span className="chip-count">{count}</span>
      </button>
      {isShown && <ReactionTooltip id={id} reaction={reaction} anchor={button} />}
    </li>
  );
}
