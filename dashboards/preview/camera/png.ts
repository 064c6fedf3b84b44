import UPNG from 'upng-js';

/** The same picture in a palette of 256 colours: a quarter of the bytes, and no difference to see. */
export function withPalette(png: Buffer): Buffer {
  const image = UPNG.decode(bytesOf(png));
  return Buffer.from(UPNG.encode(UPNG.toRGBA8(image), image.width, image.height, 256));
}

/** A small Buffer is a part of a larger ArrayBuffer. */
function bytesOf({ buffer, byteOffset, byteLength }: Buffer): ArrayBuffer {
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
