import { expect, test } from 'vitest'
import { bucket, bytesOf, embeddedAws, openWriter, quick } from '../../test/embedded.ts'

test('an upload whose completion is never answered is given up after two tries, and what is there is looked at', async () => {
  const aws = await embeddedAws()
  const notices: string[] = []
  const access = openWriter(aws, {
    retry: { ...quick, attempts: 10, answerTimeoutMs: 20 },
    notice: (message) => notices.push(message),
  })
  const upload = await access.startUpload('silent')
  await upload.send(bytesOf(5))
  aws.faults.add({ when: { operation: 'CompleteMultipartUpload' }, fault: { kind: 'hang' } })
  const before = aws.log.entries().length
  await expect(upload.complete()).rejects.toMatchObject({ kind: 'network', code: 'UnknownOutcome' })
  const tries = aws.log.entries().slice(before)
  expect(tries.filter(({ operation }) => operation === 'CompleteMultipartUpload')).toHaveLength(2)
  expect(tries.at(-1)).toMatchObject({ operation: 'HeadObject' })
  expect(notices).toEqual([expect.stringMatching(/sent nothing for too long. Trying again/)])
  expect(aws.s3.listKeys(bucket)).toEqual([])
})
