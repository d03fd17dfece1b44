/** Names who reacted with an emoji: the first three, and the user themselves. */

import { type Reaction, type UserId, useSession } from '@messenger/react';
import { type RefObject, useLayoutEffect, useRef } from 'react';
import { useLanguage } from '../i18n/language.tsx';
import { useUserName } from '../parts/UserName.tsx';
import { isolateBidi } from '../text/bidi.ts';

const GAP_PX = 4;
const EDGE_PX = 8;
const MAX_NAMES = 3;

export interface ReactionTooltipProps {
  id: string;
  reaction: Reaction;
  anchor: RefObject<HTMLElement | null>;
}

export function ReactionTooltip({ id, reaction, anchor }: ReactionTooltipProps) {
  const tooltip = useRef<HTMLDivElement>(null);
  const text = useNames(reaction);
  useLayoutEffect(() => {
    const element = tooltip.current;
    if (!element || !anchor.current || !text) return;
    // In the top layer it is not moved with the message, nor cut off by the list.
    element.showPopover?.();
    const at = anchor.current.getBoundingClientRect();
    const { width, height } = element.getBoundingClientRect();
    const left = Math.min(Math.max(EDGE_PX, at.left), innerWidth - width - EDGE_PX);
    const below = at.bottom + GAP_PX;
    const fits = below + height <= innerHeight - EDGE_PX;
    element.style.left = `${left}px`;
    element.style.top = `${fits ? below : at.top - GAP_PX - height}px`;
  }, [anchor, text]);
  return (
    <div ref={tooltip} id={id} className="tooltip" role="tooltip" popover="manual">
      <span className="tooltip-emoji emoji">{reaction.emoji}</span>
      <span>{text}</span>
    </div>
  );
}

function useNames({ user_ids, count, mine }: Reaction): string {
  const { language, t } = useLanguage();
  const me = useSession()?.me ?? 0;
  const others = user_ids.filter((id) => id !== me);
  const named: UserId[] = (mine ? [me, ...others] : others).slice(0, MAX_NAMES);
  const names = [
    useUserName(named[0] ?? null),
    useUserName(named[1] ?? null),
    useUserName(named[2] ?? null),
  ].slice(0, named.length);
  const texts = names.map((name, at) => (named[at] === me ? t('you') : isolateBidi(name)));
  const left = count - named.length;
  const all = left > 0 ? [...texts, t('reactions.others', { count: left })] : texts;
  return new Intl.ListFormat(language, { type: 'conjunction' }).format(all);
}
