// The pictures of docs/screenshots: a page of content/ as readers see it. The same pixels on
// every run, as long as page, fonts and browser are the same.

import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { launch, open } from './support/browser.mjs'
import { with_palette } from './support/palette.mjs'
import { publish } from './support/site.mjs'

const ROOT = new URL('../../', import.meta.url).pathname
const FOLDER = join(ROOT, 'docs/screenshots')
const ROUTE = '/redis-caching/scheduled-tasks-028802/'
const LARGEST = 150 * 1024

const DEVICES = {
  desktop: { width: 1280, height: 800, deviceScaleFactor: 1 },
  phone: { width: 390, height: 844, deviceScaleFactor: 2 }
}

const site = await publish({ content: join(ROOT, 'content'), name: 'Field notes' })
const browser = await launch()
const canvas = await browser.newPage()
await mkdir(FOLDER, { recursive: true })
try {
  for (const [device, viewport] of Object.entries(DEVICES)) {
    for (const scheme of ['light', 'dark']) {
      const page = await open(browser, site, ROUTE, { viewport, scheme })
      await shot(page, `${device}-${scheme}`)
      if (device === 'desktop') {
        await page.$$eval('aside details', all => all.forEach(one => { one.open = true }))
        await page.$eval('aside', box => box.scrollIntoView())
        await shot(page, `metadata-${scheme}`)
      }
      await page.close()
    }
  }
} finally {
  await browser.close()
  await site.close()
}

async function shot (page, name) {
  const file = join(FOLDER, `${name}.png`)
  await writeFile(file, await with_palette(canvas, await page.screenshot({ type: 'png' })))
  const { size } = await stat(file)
  console.log(`${file.slice(ROOT.length)} ${size} bytes`)
  if (size > LARGEST) throw new Error(`${file}: expected at most ${LARGEST} bytes, found ${size}`)
}
