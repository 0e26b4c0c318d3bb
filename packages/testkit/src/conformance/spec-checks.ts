import { type AnyConnector, connectUnknown, type SchemaField, schemaFields } from '@penstock/core'
import { z } from 'zod'
import { fail, show } from './expectations.ts'
import { type ConformanceOptions, configAt } from './options.ts'
import type { Check } from './suite.ts'

interface NamedField {
  readonly path: string
  readonly field: SchemaField
}

const fieldsOf = (connector: AnyConnector): NamedField[] => {
  const walk = (fields: readonly SchemaField[], parent: string): NamedField[] =>
    fields.flatMap((field) => {
      const path = parent + field.name
      return [{ path, field }, ...(field.fields ? walk(field.fields, `${path}.`) : [])]
    })
  return [
    ...walk(schemaFields(connector.config), ''),
    ...(connector.auth ?? []).flatMap((method: { id: string; fields: z.ZodType }) =>
      walk(schemaFields(method.fields), `auth(${method.id}).`),
    ),
  ]
}

/** Names that hold secrets in any connector of this world. */
const secretName = /(secret|password|passphrase|token|api_?key|private_?key|credential)s?$/i
/** Names that end like a secret and are none: URLs and ids of tokens. */
const publicName = /(url|uri|id|endpoint|name|ttl|path)$/i

/** Longest title of a field, in characters: what a form shows in one line. */
const longestTitle = 60

/** A value that no field can take. */
const impossible = () => {}

/** What the definition itself has to say, before anything is called. */
export const specChecks = (connector: AnyConnector, options: ConformanceOptions): Check[] => [
  {
    id: 'spec/contract',
    title: 'The definition is frozen, has a stable name and the version of the contract',
    run: async () => {
      if (!/^[a-z0-9][a-z0-9-]*$/.test(connector.name))
        fail(`The name ${show(connector.name)} is not in lower case with dashes.`)
      if (connector.specificationVersion !== 1)
        fail(`specificationVersion is ${show(connector.specificationVersion)}, not 1.`)
      if (!Object.isFrozen(connector))
        fail('The connector object can be changed: make it by its define function.')
    },
  },
  {
    id: 'spec/descriptions',
    title: 'Every field of the configuration says what it is',
    run: async () => {
      const silent = fieldsOf(connector).filter(({ field }) => !field.description && !field.title)
      if (silent.length > 0)
        fail(`Without title and description: ${silent.map(({ path }) => path).join(', ')}.`)
    },
  },
  {
    id: 'spec/titles',
    title: 'Titles of fields are labels: short, and no two of one form alike',
    run: async () => {
      const seen = new Map<string, string>()
      for (const { path, field } of fieldsOf(connector)) {
        if (field.title === undefined) continue
        if (field.title.length > longestTitle || /[.:]$/.test(field.title))
          fail(`The title of ${path} is no label: ${show(field.title)}.`)
        const form = `${path.slice(0, -field.name.length)} ${field.title}`
        const other = seen.get(form)
        if (other !== undefined) fail(`${other} and ${path} have one title: ${show(field.title)}.`)
        seen.set(form, path)
      }
    },
  },
  {
    id: 'spec/secrets-marked',
    title: 'Fields whose name says secret are made with secret()',
    run: async () => {
      const open = fieldsOf(connector).filter(
        ({ field }) => field.kind === 'text' && secretName.test(field.name) && !publicName.test(field.name),
      )
      if (open.length > 0) fail(`Not marked as secrets: ${open.map(({ path }) => path).join(', ')}.`)
    },
  },
  {
    id: 'spec/examples',
    title: 'Examples of fields are valid values',
    run: async () => {
      for (const { path, field } of fieldsOf(connector))
        for (const example of field.examples ?? []) {
          const result = field.schema.safeParse(example)
          if (!result.success)
            fail(`The example ${show(example)} of ${path} is refused: ${result.error.issues[0]?.message}.`)
        }
    },
  },
  {
    id: 'spec/json-schema',
    title: 'The configuration renders as JSON Schema, field by field',
    run: async () => {
      for (const schema of [
        connector.config,
        ...(connector.auth ?? []).map((method: { fields: z.ZodType }) => method.fields),
      ]) {
        const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'throw' }) as {
          properties?: Record<string, unknown>
        }
        for (const { name } of schemaFields(schema))
          if (!json.properties?.[name]) fail(`The field ${name} is missing in the JSON Schema.`)
      }
    },
  },
  {
    id: 'spec/unknown-keys',
    title: 'Fields that it does not know are refused',
    run: async () => {
      const input = { ...(configAt(options) as object), no_such_field: 1 }
      let accepted = true
      try {
        connectUnknown(connector, input)
      } catch (error) {
        accepted = false
        if (!String(error).includes('no_such_field'))
          fail(`The error does not name the field: ${String(error)}`)
      }
      if (accepted) fail('A configuration with the field no_such_field was accepted.')
    },
  },
  {
    id: 'spec/wrong-values',
    title: 'Fields take no value of another kind than their own',
    run: async () => {
      const tolerant = fieldsOf(connector).filter(
        ({ field }) => field.kind !== 'other' && field.schema.safeParse(impossible).success,
      )
      if (tolerant.length > 0)
        fail(`They take a function for a value: ${tolerant.map(({ path }) => path).join(', ')}.`)
    },
  },
  {
    id: 'spec/former-configs',
    title: 'Configurations of earlier releases are still accepted',
    run: async ({ skip }) => {
      const former = options.formerConfigs ?? skip('No earlier configurations were given (formerConfigs).')
      for (const [index, config] of former.entries()) {
        try {
          connectUnknown(connector, config)
        } catch (error) {
          fail(
            `formerConfigs[${index}] is refused: ${error instanceof Error ? error.message : String(error)}`,
          )
        }
      }
    },
  },
]
