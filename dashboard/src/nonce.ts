import { setNonce } from "get-nonce";

/**
 * The nonce of this page's Content-Security-Policy, from the tag that the build puts into index.html.
 *
 * @returns The nonce, or the empty string where the page carries none (the development server).
 */
export function pageNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? "";
}

/** Hands the nonce to react-style-singleton, which writes the style that locks scrolling behind dialogs. */
export function shareNonce(): void {
  const nonce = pageNonce();
  if (nonce !== "") setNonce(nonce);
}
