/** Gives a text to the browser to save as a file. */
export function saveFile(text: string, fileName: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  // In a later turn: the browser has not opened it yet.
  window.setTimeout(() => URL.revokeObjectURL(url), 0);
}
