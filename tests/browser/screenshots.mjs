// The pictures of docs/screenshots: a page of content/ as readers see it, and the report of an import.
// The same pixels on every run, as long as page, fonts and browser are the same; but the report has
// the times of its run.

import { appendFile, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { launch, open } from './support/browser.mjs'
import { with_palette } from './support/palette.mjs'
import { ANP, publish } from './support/site.mjs'

const ROOT = new URL('../../', import.meta.url).pathname
const FOLDER = join(ROOT, 'docs/screenshots')
const ROUTE = '/redis-caching/scheduled-tasks-028802/'
const LARGEST = 150 * 1024

const DEVICES = {
  desktop: { width: 1280, height: 800, deviceScaleFactor: 1 },
  phone: { width: 390, height: 844, deviceScaleFactor: 2 }
}

// As a person calls it: the report shows how to undo its run.
const bin = await mkdtemp(join(tmpdir(), 'anp-bin-'))
await symlink(ANP, join(bin, 'anp'))
process.env.PATH = `${bin}:${process.env.PATH}`

const site = await publish({ anp: 'anp', content: join(ROOT, 'content'), name: 'Field notes' })
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
  const file = await report()
  for (const scheme of ['light', 'dark']) {
    const page = await browser.newPage()
    await page.setViewport({ width: 1280, height: 1180 })
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
    await page.goto(`file://${file}`)
    await shot(page, `report-${scheme}`)
    await page.close()
  }
} finally {
  await browser.close()
  await site.close()
  await rm(bin, { recursive: true })
}

/** The report of an import that updates a folder. */
async function report () {
  const folder = join(site.tree, 'redis-caching')
  for (const name of await readdir(folder)) {
    if (name.endsWith('.md')) await appendFile(join(folder, name), '\nRead again in November.\n')
  }
  const file = join(site.tree, '..', 'report.html')
  await site.call('import', site.tree, '--owner', 'desk', '--expected-result', 'one folder updated', '--report', file)
  return file
}

async function shot (page, name) {
  const file = join(FOLDER, `${name}.png`)
  await writeFile(file, await with_palette(canvas, await page.screenshot({ type: 'png' })))
  const { size } = await stat(file)
  console.log(`${file.slice(ROOT.length)} ${size} bytes`)
  if (size > LARGEST) throw new Error(`${file}: expected at most ${LARGEST} bytes, found ${size}`)
}
