/** Draws a part of a message's text as it was typed, with http and https addresses as links and with its mentions. */

import { useSession } from '@messenger/react';
import type { ReactNode } from 'react';
import type { Atom } from '../text/atoms.ts';
import { isWebUrl } from '../text/links.ts';
import type { Mentioned } from '../text/mentionedAll.ts';

export interface TextRunProps {
  text: string;
  atoms: readonly Atom[];
  start: number;
  end: number;
}

export function TextRun({ text, atoms, start, end }: TextRunProps) {
  const parts: ReactNode[] = [];
  let done = start;
  const addText = (until: number) => {
    if (until > done) parts.push(<span key={done}>{text.slice(done, until)}</span>);
  };
  for (const atom of atoms) {
    if (atom.start < start || atom.end > end) continue;
    addText(atom.start);
    const inside = text.slice(atom.start, atom.end);
    parts.push(
      'url' in atom.of ? (
        <SafeLink key={atom.start} url={atom.of.url} text={inside} />
      ) : (
        <MentionMark key={atom.start} user={atom.of.user} text={inside} />
      ),
    );
    done = atom.end;
  }
  addText(end);
  return parts;
}

/** The name stays as it was written, and no translator changes it. */
function MentionMark({ user, text }: { user: Mentioned; text: string }) {
  const me = useSession()?.me;
  const isMine = user === 'all' || user === me;
  return (
    <span className={isMine ? 'mention mine' : 'mention'} dir="auto" translate="no">
      {text}
    </span>
  );
}

/**
 * The attributes keep the opened page from learning where it was opened from, and from accessing this page.
 * `dir` keeps the text around the link from reordering it.
 */
export function SafeLink({ url, text }: { url: string; text: string }) {
  if (!isWebUrl(url)) return <bdi dir="ltr">{text}</bdi>;
  const hidden = text === url ? undefined : new URL(url).href;
  return (
    <a href={url} title={hidden} dir="ltr" target="_blank" rel="noopener noreferrer nofollow ugc">
      {text}
    </a>
  );
}
