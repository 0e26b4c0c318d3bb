import { type AnyAction, schemaFields } from '@penstock/core'
import { z } from 'zod'
import { fail, show } from '../expectations.ts'
import type { Check } from '../suite.ts'
import { actionsOf, type Subject } from './running.ts'

const plainName = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** What the definitions of the actions say, before any is run. */
export const definitionChecks = (subject: Subject): Check[] => {
  const each = (use: (name: string, action: AnyAction) => void) => async () => {
    for (const [name, action] of actionsOf(subject)) use(name, action)
  }
  return [
    {
      id: 'actions/names',
      title: 'Topic, names and aliases are in lower case with dashes, and each means one action',
      run: async () => {
        const names = actionsOf(subject).flatMap(([name, { aliases = [] }]) => [name, ...aliases])
        for (const name of [subject.connector.topic, ...names])
          if (!plainName.test(name)) fail(`${show(name)} is not in lower case with dashes.`)
        const double = names.find((name, index) => names.indexOf(name) !== index)
        if (double) fail(`Two actions are called ${double}.`)
        if (names.length === 0) fail('It has no actions.')
      },
    },
    {
      id: 'actions/descriptions',
      title: 'Every action has a title, and every field of its input says what it is',
      run: each((name, { title, input }) => {
        if (!title.trim()) fail(`${name} has no title.`)
        const silent = schemaFields(input).filter(({ description }) => !description)
        if (silent.length > 0)
          fail(`${name}: without description: ${silent.map((field) => field.name).join(', ')}.`)
      }),
    },
    {
      id: 'actions/arguments',
      title: 'Arguments of a command are fields of its input, what is required before what is not',
      run: each((name, action) => {
        const fields = schemaFields(action.input)
        let optional: string | undefined
        for (const argument of action.arguments ?? []) {
          const field = fields.find((candidate) => candidate.name === argument)
          if (!field) return fail(`${name}: the argument ${argument} is no field of its input.`)
          if (field.required && optional !== undefined)
            fail(`${name}: ${argument} is required and stands behind ${optional}, which is not.`)
          if (!field.required) optional = argument
        }
      }),
    },
    {
      id: 'actions/json-schema',
      title: 'Input and output render as JSON Schema, field by field',
      run: each((name, { input, output }) => {
        for (const [io, schema] of [
          ['input', input],
          ['output', output],
        ] as const) {
          const json = z.toJSONSchema(schema, { io, unrepresentable: 'throw' }) as {
            properties?: Record<string, object>
          }
          for (const field of schemaFields(schema)) {
            const rendered = Object.keys(json.properties?.[field.name] ?? {})
            if (rendered.every((key) => key === 'description' || key === 'title'))
              fail(`${name}: the field ${field.name} of its ${io} says nothing in JSON Schema.`)
          }
        }
      }),
    },
    {
      id: 'actions/examples',
      title: 'Every action has an example, and examples are valid inputs',
      run: each((name, { examples = [], input }) => {
        if (examples.length === 0) fail(`${name} has no example.`)
        for (const example of examples) {
          const result = input.safeParse(example.input)
          if (!result.success)
            fail(
              `${name}: the example ${show(example.input)} is refused: ${result.error.issues[0]?.message}.`,
            )
        }
      }),
    },
    {
      id: 'actions/unknown-fields',
      title: 'Fields of an input that an action does not know are refused',
      run: each((name, { examples = [], input }) => {
        const [example] = examples
        const result = input.safeParse({ ...(example?.input as object | undefined), no_such_field: 1 })
        if (result.success) fail(`${name} takes an input with the field no_such_field.`)
      }),
    },
  ]
}
