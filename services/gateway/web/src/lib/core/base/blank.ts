/**
 * Says whether a text is blank, which means that nothing of it is visible. The cases are in
 * `shared/vectors/blank.json`.
 */

const INVISIBLE = /^[\s\p{Cc}\p{Default_Ignorable_Code_Point}\u2800]*$/u;

export function isBlank(text: string | null | undefined): boolean {
  return !text || INVISIBLE.test(text);
}
