/** Draws a part of a message's text as it was typed, with http and https addresses as links and with its mentions. */

import { useSession } from '@messenger/react';
import { type ReactNode, useContext } from 'react';
import type { Atom } from '../text/atoms.ts';
import { isWebUrl } from '../text/links.ts';
import type { Mentioned } from '../text/mentionedAll.ts';
import { drawMarked, MarkedPlaces } from './MarkedText.tsx';

export interface TextRunProps {
  text: string;
  atoms: readonly Atom[];
  start: number;
  end: number;
}

export function TextRun({ text, atoms, start, end }: TextRunProps) {
  const places = useContext(MarkedPlaces);
  const parts: ReactNode[] = [];
  let done = start;
  const addText = (until: number) => {
    if (until > done) parts.push(...drawMarked(text, places, done, until));
  };
  for (const atom of atoms) {
    if (atom.start < start || atom.end > end) continue;
    addText(atom.start);
    const typed = text.slice(atom.start, atom.end);
    const inside = places.length > 0 ? drawMarked(text, places, atom.start, atom.end) : typed;
    parts.push(
      'url' in atom.of ? (
        <SafeLink key={atom.start} url={atom.of.url} text={typed}>
          {inside}
        </SafeLink>
      ) : (
        <MentionMark key={atom.start} user={atom.of.user}>
          {inside}
        </MentionMark>
      ),
    );
    done = atom.end;
  }
  addText(end);
  return parts;
}

/** The name stays as it was written, and no translator changes it. */
function MentionMark({ user, children }: { user: Mentioned; children: ReactNode }) {
  const me = useSession()?.me;
  const isMine = user === 'all' || user === me;
  return (
    <span className={isMine ? 'mention mine' : 'mention'} dir="auto" translate="no">
      {children}
    </span>
  );
}

export interface SafeLinkProps {
  url: string;
  /** The text of the link. */
  text: string;
  /** The text as it is drawn. */
  children?: ReactNode;
}

/**
 * The attributes keep the opened page from learning where it was opened from, and from accessing this page.
 * `dir` keeps the text around the link from reordering it.
 */
export function SafeLink({ url, text, children = text }: SafeLinkProps) {
  if (!isWebUrl(url)) return <bdi dir="ltr">{children}</bdi>;
  const hidden = text === url ? undefined : new URL(url).href;
  return (
    <a href={url} title={hidden} dir="ltr" target="_blank" rel="noopener noreferrer nofollow ugc">
      {children}
    </a>
  );
}
