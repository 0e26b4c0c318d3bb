import { ConnectorError } from '@penstock/core'

/** A connector as far as it can be in the way of another. */
export interface Claimant {
  /** As messages name it: `acme-tickets`, `the built-in source-s3`. */
  readonly label: string
  /** Absent for one that can't be loaded: it is in nobody's way. */
  readonly connector: { readonly name: string; readonly topic?: string } | undefined
}

/** Two connectors with one name, or two sets of commands with one first word, would be taken for each other. */
export const conflictOf = (
  claimant: Claimant,
  others: readonly Claimant[],
  commandIds: readonly string[] = [],
): ConnectorError | undefined => {
  const { label, connector } = claimant
  if (!connector) return undefined
  const { name, topic } = connector
  const sameName = others.find((other) => other.connector?.name === name)
  if (sameName) return conflict(`${label} and ${sameName.label} are both called "${name}".`)
  if (topic === undefined) return undefined
  const sameTopic = others.find((other) => other.connector?.topic === topic)
  if (sameTopic) return conflict(`${label} and ${sameTopic.label} both have the commands "${topic} ...".`)
  if (commandIds.some((id) => id === topic || id.startsWith(`${topic}:`)))
    return conflict(`${label} has the commands "${topic} ...", and penstock has such a command itself.`)
  return undefined
}

/** Throws where there is a conflict. */
export const refuseConflicts = (claimant: Claimant, others: readonly Claimant[]): void => {
  const error = conflictOf(claimant, others)
  if (error) throw error
}

const conflict = (message: string): ConnectorError =>
  new ConnectorError('conflict', message, {
    code: 'ConnectorConflict',
    hint: 'Remove one of them, or ask its author for another name.',
  })
