/* SPDX-License-Identifier: MIT */
// The images of a draft: chosen, pasted, and taken away again.
import { useRef } from 'preact/hooks';
import { notify } from '../ui/notices';
import { attached, canSee, model } from './chat-state';
import { imageUrl, isImage } from './images';

// True if there was an image among the files.
export function attach(files: Iterable<File>): boolean {
  const images = [...files].filter(isImage);
  if (!canSee(model.peek()) || images.length === 0) return false;
  Promise.all(images.map(imageUrl)).then(
    (urls) => {
      attached.value = [...attached.peek(), ...urls];
    },
    () => notify('images', 'The image cannot be read; choose a PNG or JPEG.', true),
  );
  return true;
}

export function AttachButton() {
  const input = useRef<HTMLInputElement>(null);
  if (!canSee(model.value)) return null;
  return (
    <>
      <input
        ref={input}
        type="file"
        accept="image/*"
        multiple
        hidden
        aria-label="Images"
        onChange={(e) => {
          attach(e.currentTarget.files ?? []);
          e.currentTarget.value = '';
        }}
      />
      <button type="button" onClick={() => input.current!.click()}>
        Add images
      </button>
    </>
  );
}

export function Attachments() {
  if (!canSee(model.value) || attached.value.length === 0) return null;
  return (
    <ul class="images" aria-label="Images of the message">
      {attached.value.map((url, n) => (
        <li key={n}>
          <img src={url} alt={`Image ${n + 1}`} />
          <button
            type="button"
            class="small"
            aria-label={`Remove image ${n + 1}`}
            onClick={() => {
              attached.value = attached.peek().filter((_, at) => at !== n);
            }}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}
