/**
 * Remembers that this browser may have uploads of earlier pages, so that only those who upload load what it takes. It may
 * say so without reason, but never forgets one.
 */

export class UploadMarker {
  #key: string;

  constructor(name: string) {
    this.#key = `${name} has uploads`;
  }

  get isSet(): boolean {
    try {
      return localStorage.getItem(this.#key) !== null;
    } catch {
      return true;
    }
  }

  set(): void {
    try {
      localStorage.setItem(this.#key, '1');
    } catch {
      // Then it always counts as set.
    }
  }

  clear(): void {
    try {
      localStorage.removeItem(this.#key);
    } catch {
      // As above.
    }
  }
}
