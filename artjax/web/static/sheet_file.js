// Masks and colours as files: opened, saved.
import {line} from '/talk.js';
import {t} from '/text.js';

// The picture of a file that was chosen for another picture, or nothing; an Error
// if it cannot belong to it.
export async function opened(input, {width, height}) {
  const [file] = input.files;
  if (!file) return null;
  input.value = '';
  const how = {colorSpaceConversion: 'none', premultiplyAlpha: 'none'};
  const image = await createImageBitmap(file, how).catch(() => {
    throw new Error(t('sheet.unreadable', {name: file.name}));
  });
  if (Math.abs(image.width * height / (image.height * width) - 1) > .02)
    throw new Error(t('sheet.other', {name: file.name, width: image.width,
                                      height: image.height, w: width, h: height}));
  image.name = file.name;
  return image;
}

// Saves a file under the name by which artjax finds it beside its picture.
export function offer(blob, {name}, kind) {
  const link = line('a', '', {href: URL.createObjectURL(blob),
                              download: `${name.replace(/\.[^.]*$/, '')}.${kind}.png`});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
