// Chromium, cut off from the world: every request is answered here or counted as a mistake.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

import puppeteer from 'puppeteer-core'

import { picture } from './picture.mjs'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

function chromium () {
  if (process.env.CHROMIUM) return process.env.CHROMIUM
  for (const folder of process.env.PATH.split(delimiter)) {
    for (const name of NAMES) {
      try {
        accessSync(join(folder, name), constants.X_OK)
        return join(folder, name)
      } catch {}
    }
  }
  throw new Error(`expected one of ${NAMES.join(', ')} on the PATH; scripts/setup.sh browser installs it`)
}

export function launch () {
  return puppeteer.launch({
    executablePath: chromium(),
    args: [
      // Chromium's sandbox does not start for root, nor in a container without user namespaces,
      // which is where these tests run. It opens nothing but the pages of these tests, and no
      // request of them leaves the machine.
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--hide-scrollbars',
      // The same letters on every machine that has the same fonts.
      '--font-render-hinting=none',
      '--force-color-profile=srgb'
    ]
  })
}

export const PHONE = { width: 390, height: 844 }
export const DESKTOP = { width: 1280, height: 900 }

/** Whether the tests let this image fail on purpose. */
const isMissing = url => url.includes('missing-')

/**
 * The site's own answer without the sandbox of its policy, in which no script runs, those of these
 * tests neither. The rest of the policy stays.
 */
async function unsandboxed (request) {
  const answer = await fetch(request.url(), { headers: request.headers(), redirect: 'manual' })
  const headers = Object.fromEntries(answer.headers)
  const policy = headers['content-security-policy']
  if (policy) headers['content-security-policy'] = policy.replace(/; sandbox [a-z -]+$/, '')
  return request.respond({ status: answer.status, headers, body: Buffer.from(await answer.arrayBuffer()) })
}

/**
 * Opens `route` of the site. `page.problems` collects what a reader's browser would complain
 * about: console errors, violations of the policy, failed requests, requests that leave.
 */
export async function open (browser, site, route, { viewport = DESKTOP, scheme = 'light', media = 'screen' } = {}) {
  const page = await browser.newPage()
  const problems = page.problems = []
  await page.setViewport(viewport)
  // In one call: each of puppeteer's own two would undo the other.
  const session = await page.createCDPSession()
  await session.send('Emulation.setEmulatedMedia', { media, features: [{ name: 'prefers-color-scheme', value: scheme }] })
  await page.evaluateOnNewDocument(() => {
    window.violations = []
    document.addEventListener('securitypolicyviolation', event =>
      window.violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`))
  })
  page.on('console', message => {
    const url = message.location().url ?? ''
    if (['error', 'warn'].includes(message.type()) && !isMissing(url)) problems.push(`console: ${message.text()} ${url}`)
  })
  page.on('pageerror', error => problems.push(`script: ${error.message}`))
  page.on('requestfailed', request => {
    if (!isMissing(request.url())) problems.push(`failed: ${request.url()}`)
  })
  await page.setRequestInterception(true)
  page.on('request', request => {
    const url = request.url()
    // Browsers ask for an icon by themselves, and say so where there is no answer.
    const isOwn = request.isNavigationRequest() || url.endsWith('/favicon.ico')
    if (isOwn && url.startsWith(`${site.origin}/`)) return unsandboxed(request)
    if (request.resourceType() !== 'image') {
      problems.push(`request: ${request.resourceType()} ${url}`)
      return request.abort()
    }
    if (isMissing(url)) return request.abort('namenotresolved')
    request.respond({ status: 200, contentType: 'image/svg+xml', body: picture(url) })
  })
  await page.goto(site.origin + route)
  // Images wait until they are near the screen; here all of them are wanted at once.
  await page.evaluate(() => Promise.all([...document.images].map(image => {
    image.loading = 'eager'
    return image.complete || new Promise(resolve => { image.onload = image.onerror = resolve })
  })))
  problems.push(...await page.evaluate(() => window.violations))
  return page
}
