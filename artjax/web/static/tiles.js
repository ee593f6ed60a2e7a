// Tiles of pictures, fetched when they are first wanted.
//
// They come from the server (artjax/image_io/previews.py): level 0 is one tile,
// each level has twice the side of the one before, the last is the file.

export const TILE = 512;
const KEPT = 160;  // tiles, of at most 1 MB each

export class Tiles {
  // onLoad is called when one has come.
  constructor(onLoad) {
    this.onLoad = onLoad;
    this.images = new Map();  // url -> ImageBitmap, or null while it comes
  }

  // The bitmap of a tile, or null until it has come.
  get(picture, layer, level, column, row) {
    const url = `/api/pictures/${picture.id}/tiles/${layer}/${level}/${column}_${row}.png`;
    if (this.images.has(url)) {
      const image = this.images.get(url);
      this.images.delete(url);
      this.images.set(url, image);  // now the last to go
      return image;
    }
    this.images.set(url, null);
    this.load(url);
    return null;
  }

  async load(url) {
    try {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(answer.status);
      this.images.set(url, await createImageBitmap(await answer.blob()));
    } catch {
      setTimeout(() => this.images.delete(url), 2000);  // then try again
      return;
    }
    for (const [old, image] of this.images) {
      if (this.images.size <= KEPT) break;
      if (image) { image.close(); this.images.delete(old); }
    }
    this.onLoad();
  }
}

// [width, height] of each level, the smallest first; as libvips halves them.
export function sizes(width, height) {
  const found = [[width, height]];
  while (Math.max(...found[0]) > TILE)
    found.unshift(found[0].map(side => Math.ceil(side / 2)));
  return found;
}
