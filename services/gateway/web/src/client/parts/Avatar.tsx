/** The avatar of a user or a conversation: a picture, or letters while there is none. */

import { type ReactNode, useState } from 'react';

const HUES = 8;
const SIZES = { tiny: 20, small: 34, normal: 44, large: 64 } as const;
/** More pictures than any screen shows. The limit only bounds the memory. */
const MAX_REMEMBERED = 1_000;
/** Pictures that have been shown. They are shown at once when a list draws them again. */
const shownBefore = new Set<string>();

export type AvatarSize = keyof typeof SIZES;

export interface AvatarProps {
  id: number;
  label: ReactNode;
  size?: AvatarSize;
  /** Only https addresses are loaded. */
  picture?: string | null;
  isLoading?: boolean;
}

/** It has the same size in every state, so that nothing moves. The name stands beside it for screen readers. */
export function Avatar({ id, label, size = 'normal', picture = null, isLoading = false }: AvatarProps) {
  const { url, isShown, setShown } = usePicture(picture);
  const look = isLoading ? 'loading' : isShown ? 'pictured' : `hue-${Math.abs(id) % HUES}`;
  return (
    <span className={`avatar ${look} ${size}`} aria-hidden="true">
      <span className="avatar-label">{isLoading ? '' : label}</span>
      {url !== null && (
        <img
          key={url}
          src={url}
          alt=""
          width={SIZES[size]}
          height={SIZES[size]}
          loading="lazy"
          decoding="async"
          referrerPolicy="no-referrer"
          draggable={false}
          onLoad={() => setShown(true)}
          onError={() => setShown(false)}
        />
      )}
    </span>
  );
}

/** A picture that cannot be loaded is given up, until the avatar is drawn anew or has another picture. */
function usePicture(picture: string | null) {
  const [known, setKnown] = useState<{ url: string; isShown: boolean } | null>(null);
  const url = picture !== null && /^https:\/\//i.test(picture) ? picture : null;
  const isKnown = known !== null && known.url === url;
  const setShown = (isShown: boolean) => {
    if (url === null) return;
    remember(url, isShown);
    setKnown({ url, isShown });
  };
  const isShown = url !== null && (isKnown ? known.isShown : shownBefore.has(url));
  const isBroken = isKnown && !known.isShown;
  return { url: isBroken ? null : url, isShown, setShown };
}

function remember(url: string, isShown: boolean): void {
  if (shownBefore.size >= MAX_REMEMBERED) shownBefore.clear();
  if (isShown) shownBefore.add(url);
  else shownBefore.delete(url);
}

/** Makes a number from a text id, so that its colour stays the same. */
export function hueOf(id: string): number {
  return [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7);
}
