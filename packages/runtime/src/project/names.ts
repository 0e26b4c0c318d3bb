import { z } from 'zod'

/** Schema of the name of a connection or a pipeline. */
export const projectName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
    'must be 1-64 letters, digits, . _ or -, and begin with a letter or digit',
  )

/** True for a name that a connection or a pipeline may have. */
export const isProjectName = (text: string): boolean => projectName.safeParse(text).success
