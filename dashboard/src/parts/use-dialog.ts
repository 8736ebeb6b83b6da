import { useCallback, useRef, useState } from "react";

export interface DialogControl<T> {
  /** What the dialog is about; `null` while it is closed. */
  target: T | null;
  /**
   * Opens it. Closing gives the focus back to the element of this id, or to the page's heading if it is gone; without an
   * id, for a dialog that takes the place of another, to where it was due before.
   */
  open: (target: T, returnTo?: string) => void;
  close: () => void;
}

/**
 * Opens and closes one dialog.
 *
 * A dialog lives only while it is open, so that whatever it showed (a token) is gone with it. The control that opened
 * it may be gone too (a menu, the row of a revoked key), hence the id rather than the element.
 */
export function useDialog<T>(): DialogControl<T> {
  const [target, setTarget] = useState<T | null>(null);
  const returnTo = useRef("");
  const open = useCallback((about: T, id?: string) => {
    returnTo.current = id ?? returnTo.current;
    setTarget(about);
  }, []);
  const close = useCallback(() => {
    setTarget(null);
    window.requestAnimationFrame(() => {
      const place = document.getElementById(returnTo.current) ?? document.querySelector("h1");
      place?.focus();
    });
  }, []);
  return { target, open, close };
}
