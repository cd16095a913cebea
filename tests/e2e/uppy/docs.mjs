// Does the main job on the page of the API, as a person does who presses Execute: registers, logs in,
// authorizes and puts the file of the example. Prints the status of each answer, and what the browser
// complained about.
import { chromium } from 'playwright-core'

const [executablePath, profile, url, name] = process.argv.slice(2)
const context = await chromium.launchPersistentContext(profile, { executablePath, args: ['--no-sandbox'] })
const page = context.pages()[0] ?? (await context.newPage())
const complaints = []
page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))

async function execute(tag, id, prepare = async () => {}) {
  // The address of an operation opens it: deep links.
  await page.goto('about:blank')
  await page.goto(`${url}/docs#/${tag}/${id}`)
  const operation = page.locator(`[id="operations-${tag}-${id}"]`)
  await operation.locator('.execute').waitFor()
  await prepare(operation)
  const answered = page.waitForResponse((each) => each.url() !== `${url}/openapi.json`)
  await operation.locator('.execute').click()
  return answered
}

const rename = async (operation) => {
  const body = operation.locator('textarea.body-param__text')
  await body.fill((await body.inputValue()).replace('alice', name))
}
const registered = await execute('Account', 'registerAccount', rename)
const loggedIn = await execute('Account', 'logIn', rename)
const { token } = await loggedIn.json()
const put = await execute('Files', 'putFile', async () => {
  await page.locator('button.authorize').first().click()
  await page.locator('#api_key_value').fill(token)
  await page.locator('.auth-container', { hasText: 'x-session-token' }).locator('button.authorize').click()
  await page.locator('button.btn-done').first().click()
})
console.log(JSON.stringify({
  title: await page.title(),
  link: await page.locator('.info a.link').first().getAttribute('href'),
  statuses: [registered.status(), loggedIn.status(), put.status()],
  file: await put.json(),
  complaints,
}))
await context.close()
