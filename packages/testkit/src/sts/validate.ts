/** Limits of a parameter as the STS API reference gives them. */
export interface Limits {
  minLength?: number
  maxLength?: number
  /** Source of the pattern, as AWS prints it. */
  pattern?: string
  minimum?: number
  maximum?: number
  required?: boolean
}

/** AWS answers with the name in lower camel case. */
const printed = (name: string) => name.charAt(0).toLowerCase() + name.slice(1)

/**
 * Checks parameters against their limits. Undefined, or the text of a ValidationError in AWS's words:
 * `1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must ...`.
 */
export function validationProblem(
  params: URLSearchParams,
  limits: Record<string, Limits>,
): string | undefined {
  const problems = Object.entries(limits).flatMap(([name, limit]) => {
    const value = params.get(name)
    const shown = value === null ? 'null' : `'${value}'`
    return constraints(value, limit).map(
      (text) => `Value ${shown} at '${printed(name)}' failed to satisfy constraint: Member must ${text}`,
    )
  })
  if (problems.length === 0) return undefined
  return `${problems.length} validation error${problems.length === 1 ? '' : 's'} detected: ${problems.join('; ')}`
}

function constraints(value: string | null, limit: Limits): string[] {
  if (value === null) return limit.required ? ['not be null'] : []
  const problems: string[] = []
  if (limit.minimum !== undefined || limit.maximum !== undefined) {
    const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN
    if (Number.isNaN(number)) return ['be a valid integer']
    if (number < (limit.minimum ?? number))
      problems.push(`have value greater than or equal to ${limit.minimum}`)
    if (number > (limit.maximum ?? number)) problems.push(`have value less than or equal to ${limit.maximum}`)
    return problems
  }
  if (value.length < (limit.minLength ?? 0)) {
    problems.push(`have length greater than or equal to ${limit.minLength}`)
  }
  if (value.length > (limit.maxLength ?? value.length)) {
    problems.push(`have length less than or equal to ${limit.maxLength}`)
  }
  if (limit.pattern !== undefined && !new RegExp(`^(?:${limit.pattern})$`, 'u').test(value)) {
    problems.push(`satisfy regular expression pattern: ${limit.pattern}`)
  }
  return problems
}
