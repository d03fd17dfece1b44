/** Owns a message's text on the screen: always text, with addresses of http and https as links. */

import { LinkifyIt } from 'linkify-it';
import { Fragment, memo, type ReactNode } from 'react';

// Only what says its scheme: no bare names, no mail, and certainly no javascript.
const links = new LinkifyIt({ fuzzyLink: false, fuzzyEmail: false });
for (const scheme of ['ftp:', 'mailto:', '//']) links.add(scheme, null);

export const Words = memo(function Words({ text }: { text: string }) {
  return text.includes('://') ? withLinks(text) : text;
});

function withLinks(text: string): ReactNode[] {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const { index, lastIndex, url } of links.match(text) ?? []) {
    parts.push(text.slice(end, index));
    parts.push(<SafeLink key={index} url={url} text={text.slice(index, lastIndex)} />);
    end = lastIndex;
  }
  parts.push(<Fragment key="end">{text.slice(end)}</Fragment>);
  return parts;
}

/** The other page learns neither where it was opened from, nor gets hold of this one. */
export function SafeLink({ url, text }: { url: string; text: string }) {
  if (!isWeb(url)) return text;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow ugc">
      {text}
    </a>
  );
}

function isWeb(url: string): boolean {
  return URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol);
}
