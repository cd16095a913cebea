// A page with Uppy, set up as docs/large-files.md says, and what the test does there.
import AwsS3 from '@uppy/aws-s3'
import Uppy from '@uppy/core'

const input = document.querySelector('input')
let uppy
let ended

// Uploads what was chosen, to the end; or until `parts` parts have arrived, and pauses there.
window.upload = async (endpoint, token, parts) => {
  uppy = new Uppy().use(AwsS3, { endpoint, headers: { 'x-session-token': token } })
  uppy.on('file-added', (file) => uppy.setFileMeta(file.id, { size: file.size }))
  for (const file of input.files) {
    uppy.addFile({ name: file.name, type: file.type, data: file })
  }
  const paused = new Promise((resolve) => {
    let arrived = 0
    uppy.on('s3-multipart:part-uploaded', () => {
      arrived += 1
      if (arrived === parts) {
        uppy.pauseAll()
        resolve('paused')
      }
    })
  })
  ended = uppy.upload().then((result) => ({
    successful: result.successful.map((file) => file.uploadURL),
    failed: result.failed.map((file) => file.error),
  }))
  return Promise.race([paused, ended])
}

window.resume = () => {
  uppy.resumeAll()
  return ended
}

// Gives it up, and answers once nothing is in progress any more.
window.cancel = async (endpoint, token) => {
  uppy.cancelAll()
  const headers = { 'x-session-token': token }
  while ((await (await fetch(`${endpoint}/uploads`, { headers })).json()).length > 0) {
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

// What the browser lets this page see of an address.
window.look = async (url, options) => {
  try {
    const answer = await fetch(url, options)
    return { status: answer.status, etag: answer.headers.get('etag') }
  } catch {
    return 'kept out'
  }
}
