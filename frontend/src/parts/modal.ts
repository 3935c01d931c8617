/**
 * Shows a dialog as long as it is there, and gives the focus back to where it was. Ask for it in an effect: a dialog that
 * is taken away while it is open gives no focus back by itself.
 */
export function modal(dialog: HTMLDialogElement): () => void {
  const before = document.activeElement;
  dialog.showModal();
  return () => {
    dialog.close();
    if (before instanceof HTMLElement) before.focus();
  };
}
