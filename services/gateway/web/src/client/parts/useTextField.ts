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
  /** `inputType` is the browser's name for the kind of change. */
  onChange: (text: string, inputType: string) => void;
  /** Called for Enter, when the whole text is in the field. The press may also have ended a composition. */
  onEnter: (hasEndedComposition: boolean) => void;
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
      const input = event.nativeEvent as InputEvent;
      if (current.isRepeatedCommit(input)) return;
      onChange(event.target.value, input.inputType ?? '');
    },
    onKeyDown: (event: KeyboardEvent<E>) => {
      const isPlainEnter = isEnter(event) && !event.shiftKey && !event.altKey;
      const part = current.handleKey(event.nativeEvent, isPlainEnter, () => latestEnter.current(true));
      // Listeners further up, such as a dialog's, must not see keys of a composition.
      if (part) event.stopPropagation();
      else if (!isPlainEnter) onKey?.(event);
      else {
        event.preventDefault();
        onEnter(false);
      }
    },
    onCompositionStart: () => current.start(),
    onCompositionUpdate: (event: CompositionEvent<E>) => current.update(event.data),
    onCompositionEnd: () => current.end(),
  };
  const commitComposition = () => current.commit(field.current);
  const replace = (start: number, end: number, text: string) => {
    commitComposition();
    current.keepCommitted(() => field.current && replaceText(field.current, start, end, text));
  };
  return { props, commitComposition, replace };
}

/** Replaces a part of the text as if the user had typed it, so that they can undo it. */
function replaceText(field: Field, start: number, end: number, text: string): void {
  field.focus({ preventScroll: true });
  field.setSelectionRange(start, end);
  // The command is outdated, but nothing else keeps the browser's history of the field.
  if (document.execCommand(text ? 'insertText' : 'delete', false, text)) return;
  field.setRangeText(text, start, end, 'end');
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
}
