/** A blurred picture in the place of one that is not loaded yet. Its decoder is loaded when the first one is drawn. */

import { useEffect, useRef } from 'react';

const SIDE = 32;

export function Blurhash({ hash }: { hash: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const draw = async () => {
      const { decode } = await import('blurhash');
      const context = canvas.current?.getContext('2d');
      if (!context) return;
      const pixels = context.createImageData(SIDE, SIDE);
      pixels.data.set(decode(hash, SIDE, SIDE));
      context.putImageData(pixels, 0, 0);
    };
    // Without it there is a plain place.
    draw().catch(() => undefined);
  }, [hash]);
  // A canvas without content says nothing to a screen reader.
  return <canvas ref={canvas} className="blurhash" width={SIDE} height={SIDE} />;
}
