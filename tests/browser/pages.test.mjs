// What must be true of every page, on a phone and on a desktop, in both colour schemes.

import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { DESKTOP, PHONE, launch, open } from './support/browser.mjs'
import { is_sound } from './support/checks.mjs'
import { publish } from './support/site.mjs'

const named = await publish({ name: 'Field notes' })
const nameless = await publish()
const browser = await launch()
after(async () => { await browser.close(); await named.close(); await nameless.close() })

assert.ok(named.routes.length === 10, `${named.routes}`)
const pages = [
  ...named.routes.map(route => ({ site: named, route, name: route })),
  { site: nameless, route: '/everything/', name: '/everything/ of a site without a name' }
]
for (const { site, route, name } of pages) {
  for (const [device, viewport] of [['phone', PHONE], ['desktop', DESKTOP]]) {
    for (const scheme of ['light', 'dark']) {
      test(`${name} is sound on a ${device}, ${scheme}`, async () => {
        const page = await open(browser, site, route, { viewport, scheme })
        await is_sound(page)
        await page.close()
      })
    }
  }
}
