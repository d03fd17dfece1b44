/** Marks the mentions behind the text of the composer, which itself can only show plain text. */

import { type ReactNode, type RefObject, useLayoutEffect, useRef } from 'react';
import { type DraftMention, endOf } from '../text/draftMentions.ts';

export interface MentionMarksProps {
  box: RefObject<HTMLTextAreaElement | null>;
  text: string;
  mentions: readonly DraftMention[];
}

export function MentionMarks({ box, text, mentions }: MentionMarksProps) {
  const marks = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    const follow = () => {
      if (!element || !marks.current) return;
      // A scroll bar makes the text box narrower.
      marks.current.style.width = `${element.clientWidth}px`;
      marks.current.scrollTop = element.scrollTop;
    };
    follow();
    element?.addEventListener('scroll', follow, { passive: true });
    return () => element?.removeEventListener('scroll', follow);
  });
  const parts: ReactNode[] = [];
  let done = 0;
  for (const mention of mentions) {
    parts.push(<span key={`before ${mention.start}`}>{text.slice(done, mention.start)}</span>);
    parts.push(<mark key={mention.start}>{mention.label}</mark>);
    done = endOf(mention);
  }
  parts.push(<span key="end">{text.slice(done)}</span>);
  return (
    <div ref={marks} className="mention-marks" dir="auto" aria-hidden="true">
      {parts}
    </div>
  );
}
