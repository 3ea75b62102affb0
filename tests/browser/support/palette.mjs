// Screenshots as small PNG files: at most 256 colours, no alpha. Pages have few colours, so
// nothing of them is lost that an eye would find.

import { deflateSync } from 'node:zlib'

/** `png` (the bytes of any PNG), with a palette. `page` is a page whose canvas may be used. */
export async function with_palette (page, png) {
  const { width, height, base64 } = await page.evaluate(async encoded => {
    const image = new Image()
    image.src = `data:image/png;base64,${encoded}`
    await image.decode()
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')
    canvas.drawImage(image, 0, 0)
    const { data } = canvas.getImageData(0, 0, image.width, image.height)
    const parts = []
    for (let at = 0; at < data.length; at += 8192) parts.push(String.fromCharCode(...data.subarray(at, at + 8192)))
    return { width: image.width, height: image.height, base64: btoa(parts.join('')) }
  }, Buffer.from(png).toString('base64'))
  const rgba = Buffer.from(base64, 'base64')
  const colours = new Uint32Array(width * height)
  const counts = new Map()
  for (let at = 0; at < colours.length; at++) {
    const colour = colours[at] = rgba.readUIntBE(at * 4, 3)
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  const palette = [...counts].sort(([a, often], [b, oftener]) => oftener - often || a - b).slice(0, 256).map(([colour]) => colour)
  const nearest = new Map()
  for (const colour of counts.keys()) {
    const distances = palette.map(known => [16, 8, 0].reduce((sum, bits) => sum + ((known >> bits & 255) - (colour >> bits & 255)) ** 2, 0))
    nearest.set(colour, distances.indexOf(Math.min(...distances)))
  }
  const rows = Buffer.alloc((width + 1) * height)
  for (let at = 0; at < colours.length; at++) rows[at + Math.floor(at / width) + 1] = nearest.get(colours[at])
  const head = Buffer.alloc(13)
  head.writeUInt32BE(width, 0)
  head.writeUInt32BE(height, 4)
  head.set([8, 3, 0, 0, 0], 8)
  const table = Buffer.from(palette.flatMap(colour => [colour >> 16, colour >> 8 & 255, colour & 255]))
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10])
  return Buffer.concat([signature, chunk('IHDR', head), chunk('PLTE', table), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))])
}

function chunk (name, data) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

function crc32 (bytes) {
  let sum = ~0
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = sum >>> 1 ^ (sum & 1 ? 0xEDB88320 : 0)
  }
  return ~sum >>> 0
}
