/** The client's keyboard shortcuts: a letter with Ctrl, or with ⌘ on Apple's systems. */

export const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);

interface Press {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
}

/** Whether the shortcut with this letter is pressed. In a Korean layout the key has another name. */
export function isShortcut(press: Press, letter: string): boolean {
  const isLetter = press.key.toLowerCase() === letter || press.code === `Key${letter.toUpperCase()}`;
  const hasModifier = IS_MAC ? press.metaKey && !press.ctrlKey : press.ctrlKey && !press.metaKey;
  return isLetter && hasModifier && !press.altKey && !press.shiftKey;
}
