// Serves the page from its origin, opens it in Chromium, and does there what it is told.
//
// A plan comes as JSON on standard input; what was seen goes as JSON to standard output.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium } from 'playwright-core'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const here = (name) => fileURLToPath(new URL(name, import.meta.url))

// Answers the page and its script, bundled, on the port of its origin.
async function serve(origin) {
  const script = { entryPoints: [here('page.js')], bundle: true, format: 'esm', write: false }
  const { outputFiles } = await build(script)
  const files = {
    '/': ['text/html', await readFile(here('page.html'))],
    '/page.js': ['text/javascript', outputFiles[0].contents],
  }
  const server = createServer((request, response) => {
    const [type, body] = files[request.url] ?? []
    response.writeHead(body ? 200 : 404, type && { 'content-type': type }).end(body)
  })
  const { port } = new URL(origin)
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(Number(port), '127.0.0.1', resolve)
  })
  return server
}

// Notes each request in its order, with its status and JSON once there are any, and what goes wrong.
function watch(page, seen) {
  const noted = new Map()
  page.on('request', (request) => {
    noted.set(request, { method: request.method(), url: request.url(), status: null })
    seen.requests.push(noted.get(request))
  })
  page.on('response', async (response) => {
    const note = noted.get(response.request())
    note.status = response.status()
    note.json = await response.json().catch(() => null)
  })
  page.on('console', (message) => {
    if (message.type() === 'error') seen.errors.push(message.text())
  })
  page.on('pageerror', (error) => seen.errors.push(String(error)))
}

async function follow(plan, seen) {
  const context = await chromium.launchPersistentContext(plan.profile, {
    executablePath: plan.chromium,
    headless: true,
    args: FLAGS,
    timeout: plan.milliseconds,
  })
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(plan.milliseconds)
    watch(page, seen)
    await page.goto(plan.origin)
    await page.setInputFiles('input', plan.files)
    for (const step of plan.steps) {
      seen.steps.push(await page.evaluate(([name, ...given]) => window[name](...given), step))
    }
  } finally {
    await context.close()
  }
}

const plan = JSON.parse(await text(process.stdin))
const seen = { steps: [], requests: [], errors: [] }
const server = await serve(plan.origin)
const late = new Promise((_, reject) => {
  setTimeout(() => reject(new Error('it took too long')), plan.milliseconds).unref()
})
try {
  await Promise.race([follow(plan, seen), late])
} catch (error) {
  seen.errors.push(String(error))
}
process.stdout.write(JSON.stringify(seen), () => process.exit())
