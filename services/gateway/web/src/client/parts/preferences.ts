/** Saves the user's preferences in the browser. */

const storageKey = (key: string) => `messenger ${key}`;

export function readPreference(key: string): string | null {
  try {
    return localStorage.getItem(storageKey(key));
  } catch {
    return null;
  }
}

/** Whether the browser saves anything. Only then does typed text outlive the page. */
export function isStorageAvailable(): boolean {
  try {
    localStorage.setItem(storageKey('kept'), '1');
    localStorage.removeItem(storageKey('kept'));
    return true;
  } catch {
    return false;
  }
}

export function savePreference(key: string, value: string): void {
  try {
    localStorage.setItem(storageKey(key), value);
  } catch {
    // The setting lasts until the page is closed.
  }
}
