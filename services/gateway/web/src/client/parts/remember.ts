/** Owns small choices that a browser remembers. */

const name = (key: string) => `messenger ${key}`;

export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(name(key));
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(name(key), value);
  } catch {
    // Then it holds until the page is closed.
  }
}
