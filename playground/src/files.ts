/** Pictures dropped or pasted anywhere on the page. */

export function acceptFiles(take: (file: File, name: string) => void): () => void {
  const allow = (event: DragEvent) => event.preventDefault();
  const drop = (event: DragEvent) => {
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) take(file, file.name);
  };
  const paste = (event: ClipboardEvent) => {
    const file = [...(event.clipboardData?.files ?? [])][0];
    if (file) take(file, file.name || "pasted.png");
  };
  addEventListener("dragover", allow);
  addEventListener("drop", drop);
  addEventListener("paste", paste);
  return () => {
    removeEventListener("dragover", allow);
    removeEventListener("drop", drop);
    removeEventListener("paste", paste);
  };
}
