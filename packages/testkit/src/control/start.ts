import { type Aws, type AwsOptions, startAws } from '../aws.ts'
import { createControl } from './endpoint.ts'

/** Starts the embedded AWS with its control endpoint under `/_penstock/`, open to the holder of the token. */
export async function startControlledAws({
  controlToken,
  ...options
}: Omit<AwsOptions, 'control'> & { controlToken: string }): Promise<Aws> {
  // The server has to exist before there is something to control.
  let handle: ReturnType<typeof createControl> | undefined
  const aws = await startAws({ ...options, control: (req, res) => handle?.(req, res) ?? false })
  try {
    handle = createControl({ target: aws, token: controlToken })
  } catch (error) {
    await aws.close()
    throw error
  }
  return aws
}
