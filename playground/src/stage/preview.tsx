/** How the edit looks so far, over the picture that it comes from: for models that show it on the way. */

import type { Picture } from "../state/picture";
import { preview } from "../state/work";

export function Preview({ at }: { at: Picture }) {
  const shown = preview.value;
  if (!shown) return null;
  return (
    <figure class="preview">
      <div class="frame" style={{ "--w": String(at.width), "--h": String(at.height) }}>
        <img key={shown} src={shown} alt="The edit so far" />
        <figcaption class="tag">Taking shape …</figcaption>
      </div>
    </figure>
  );
}
