/**
 * Owns the Enter key: it sends, Shift+Enter breaks the line. While a Hangul syllable is being composed, one press
 * both ends it and sends, once and whole. In other scripts that press chooses a candidate and sends nothing.
 */

import { type CompositionEvent, type KeyboardEvent, useEffect, useRef } from 'react';

const HANGUL = /^[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]+$/;
/** What some browsers give as the code of every key while text is composed. */
const COMPOSING = 229;

/** Some systems call every key of a composition `Process`. */
const isEnter = ({ key, code }: KeyboardEvent) =>
  key === 'Enter' || (key === 'Process' && (code === 'Enter' || code === 'NumpadEnter'));

export function useEnter(send: () => void) {
  // The press ends later than it began, when the text is another one.
  const newest = useRef(send);
  useEffect(() => {
    newest.current = send;
  });
  const composed = useRef('');
  const isWanted = useRef(false);
  const isComposing = (event: KeyboardEvent) => event.nativeEvent.isComposing || event.keyCode === COMPOSING;

  return {
    onKeyDown: (event: KeyboardEvent) => {
      if (!isEnter(event) || event.shiftKey || event.altKey) return;
      if (isComposing(event)) {
        isWanted.current = HANGUL.test(composed.current);
        return;
      }
      event.preventDefault();
      // Some browsers tell of the same press again when the composition is over.
      isWanted.current = false;
      send();
    },
    onCompositionUpdate: (event: CompositionEvent) => {
      composed.current = event.data;
    },
    onCompositionEnd: () => {
      composed.current = '';
      // A syllable that ends by the next one sends nothing, also not when Enter comes before its timer.
      if (!isWanted.current) return;
      // When the composed text is in the box, and the line break that some browsers add with it too.
      setTimeout(() => {
        if (!isWanted.current) return;
        isWanted.current = false;
        newest.current();
      });
    },
  };
}
