import type { DocumentJson } from '../../presenters/shapes.ts'
import { changeHeaders, Problem, problemOf } from '../api.ts'

/**
 * Puts a file as the body itself. By XMLHttpRequest: fetch does not tell how far a body has come.
 * @param tell told how much has left, 0 to 1
 * @throws Problem; an AbortError when `signal` ends it
 */
export function upload(file: File, tell: (share: number) => void, signal: AbortSignal): Promise<DocumentJson> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const broken = (): void => reject(new Problem(0, 'no_answer', 'No answer came from the server.'))
    request.open('POST', `/api/v1/documents?name=${encodeURIComponent(file.name.slice(0, 255))}`)
    request.setRequestHeader('accept', 'application/json')
    request.setRequestHeader('content-type', file.type || 'application/octet-stream')
    for (const [name, value] of Object.entries(changeHeaders())) request.setRequestHeader(name, value)
    request.upload.onprogress = ({ loaded, total }) => tell(total === 0 ? 0 : loaded / total)
    request.onerror = broken
    request.ontimeout = broken
    request.onabort = () => reject(new DOMException('aborted', 'AbortError'))
    request.onload = () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText) as DocumentJson)
      else reject(problemOf(request.status, request.responseText))
    }
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(file)
  })
}
