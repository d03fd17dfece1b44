/** A text field of one line. Enter presses the submit button of its form, if it has one. */

import { type ComponentPropsWithoutRef, useRef } from 'react';
import { useTextField } from './useTextField.ts';

type InputProps = Omit<ComponentPropsWithoutRef<'input'>, 'value' | 'onChange' | 'className'>;

export interface TextFieldProps extends InputProps {
  value: string;
  onText: (text: string) => void;
}

export function TextField({ value, onText, ...inputProps }: TextFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  // A click does nothing on a disabled button, and otherwise lets the browser validate the form.
  const onEnter = () => field.current?.form?.querySelector<HTMLElement>('[type=submit]')?.click();
  const { props } = useTextField({ field, value, onChange: onText, onEnter });
  return <input dir="auto" {...inputProps} {...props} ref={field} className="field" />;
}
