/* SPDX-License-Identifier: MIT */
// Images of the user's, made ready to be sent.

const PLAIN = ['image/png', 'image/jpeg', 'image/gif', 'image/bmp']; // what the server reads
const PLAIN_BYTES = 2 << 20;
const LONGEST_SIDE = 2048; // models see fewer pixels than that
const QUALITY = 0.9;

export const isImage = (file: File): boolean => file.type.startsWith('image/');

// Of a picture of this size, so that it fits.
export function fittingSize(width: number, height: number): { width: number; height: number } {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

function asIs(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

async function asJpeg(file: File): Promise<string> {
  const picture = await createImageBitmap(file);
  const canvas = document.createElement('canvas');
  Object.assign(canvas, fittingSize(picture.width, picture.height));
  const context = canvas.getContext('2d')!;
  context.fillStyle = 'white'; // behind what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/jpeg', QUALITY);
}

// A data: URL that the server can read: large files and other formats (WebP, AVIF) as JPEG.
// Rejects what the browser cannot read either.
export const imageUrl = (file: File): Promise<string> =>
  PLAIN.includes(file.type) && file.size <= PLAIN_BYTES ? asIs(file) : asJpeg(file);
