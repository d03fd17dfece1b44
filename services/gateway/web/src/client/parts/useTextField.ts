/**
 * The behaviour that all text fields share: typing, the Enter key, and compositions of an input method.
 *
 * While a Hangul syllable is composed, one press of Enter both ends it and counts as Enter, once and with the
 * whole text. In other scripts that press only chooses a candidate. All other keys of a composition act only
 * on the composition: Escape cancels the composition and does not close a dialog. A click that takes the text
 * ends the composition first.
 */

import {
  type ChangeEvent,
  type CompositionEvent,
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useRef,
} from 'react';
import { ImeComposition } from './imeComposition.ts';

export type Field = HTMLInputElement | HTMLTextAreaElement;

export interface TextFieldOptions<E extends Field> {
  field: RefObject<E | null>;
  value: string;
  onChange: (text: string) => void;
  /** Called for Enter, when the whole text is in the field. */
  onEnter: () => void;
  /** Called for any other key that is not part of a composition. */
  onKey?: (event: KeyboardEvent<E>) => void;
}

/** Some systems report every key of a composition as `Process`. */
const isEnter = ({ key, code }: KeyboardEvent) =>
  key === 'Enter' || (key === 'Process' && (code === 'Enter' || code === 'NumpadEnter'));

export function useTextField<E extends Field>({
  field,
  value,
  onChange,
  onEnter,
  onKey,
}: TextFieldOptions<E>) {
  const composition = useRef<ImeComposition>(null);
  composition.current ??= new ImeComposition();
  const { current } = composition;
  // The text may change between the key press and its effect, so the latest handler is called.
  const latestEnter = useRef(onEnter);
  useEffect(() => {
    latestEnter.current = onEnter;
  });
  useEffect(() => () => current.stop(), [current]);

  const props = {
    // The browser controls an open composition. Setting another text now would break it.
    value: current.isOpen ? (field.current?.value ?? value) : value,
    onChange: (event: ChangeEvent<E>) => {
      if (current.isRepeatedCommit(event.nativeEvent as InputEvent)) return;
      onChange(event.target.value);
    },
    onKeyDown: (event: KeyboardEvent<E>) => {
      const isPlainEnter = isEnter(event) && !event.shiftKey && !event.altKey;
      const part = current.handleKey(event.nativeEvent, isPlainEnter, () => latestEnter.current());
      // Listeners further up, such as a dialog's, must not see keys of a composition.
      if (part) event.stopPropagation();
      else if (!isPlainEnter) onKey?.(event);
      else {
        event.preventDefault();
        onEnter();
      }
    },
    onCompositionStart: () => current.start(),
    onCompositionUpdate: (event: CompositionEvent<E>) => current.update(event.data),
    onCompositionEnd: () => current.end(),
  };
  return { props, commitComposition: () => current.commit(field.current) };
}
