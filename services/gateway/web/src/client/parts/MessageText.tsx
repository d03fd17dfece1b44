/** Draws a message's text. It is always plain text, with http and https addresses as links. */

import { memo, type ReactNode } from 'react';
import { findLinks, isWebUrl } from '../text/links.ts';

export const MessageText = memo(function MessageText({ text }: { text: string }) {
  return text.includes('://') ? withLinks(text) : <span>{text}</span>;
});

function withLinks(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const link of findLinks(text)) {
    parts.push(<span key={`before ${link.start}`}>{text.slice(end, link.start)}</span>);
    parts.push(<SafeLink key={link.start} url={link.url} text={link.url} />);
    end = link.end;
  }
  parts.push(<span key="end">{text.slice(end)}</span>);
  return parts;
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
