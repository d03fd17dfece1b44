/** Saves bytes that the page has as a file of the user's. */

/** The browser opens nothing of it. It needs `url` for some time after this. */
export function saveAs(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
}
