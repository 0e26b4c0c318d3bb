import type { FieldProblem, Schema } from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { useId, useState } from 'preact/hooks'
import { type InputProps, JsonInput, Select, textInput } from './form-inputs.ts'
import {
  blankOf,
  numberOrText,
  placeholderOf,
  shapeOf,
  titleOf,
  type Values,
  variantOf,
  variantsOf,
  variantTitle,
  withField,
} from './form-values.ts'
import { Button } from './parts.ts'
import { SecretInput } from './secret-input.ts'

type Path = readonly (string | number)[]

/** What all fields of a form know. */
export interface FormContext {
  readonly problems: readonly FieldProblem[]
  /** Name of the connection, for names of variables. */
  readonly connection: string
  /** Told of a field that is edited: what was said of it may not hold any more. */
  readonly onEdit?: (path: Path) => void
}

interface FieldProps {
  readonly context: FormContext
  readonly path: Path
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
  readonly value: unknown
  readonly onChange: (value: unknown) => void
}

const problemAt = ({ problems }: FormContext, path: Path): string | undefined =>
  problems
    .filter((problem) => problem.path.join('\0') === path.join('\0'))
    .map(({ message }) => message)
    .join('; ') || undefined

/** Problems come as clauses (`is required`) for a message that names the field; here the field is seen. */
const sentence = (clause: string): string => clause.charAt(0).toUpperCase() + clause.slice(1)

const hasProblemBelow = ({ problems }: FormContext, path: Path): boolean =>
  problems.some((problem) => path.every((part, index) => problem.path[index] === part))

/** A form from the JSON Schema of an object: what is required first, the rest behind a fold. */
export const SchemaForm = ({
  schema,
  values,
  onChange,
  context,
  path = [],
  omit = [],
  optionalTitle = 'Optional settings',
}: {
  readonly schema: Schema
  readonly values: Values
  readonly onChange: (values: Values) => void
  readonly context: FormContext
  readonly path?: Path
  /** Fields that something else sets. */
  readonly omit?: readonly string[]
  readonly optionalTitle?: string
}): ComponentChildren => {
  const fields = Object.entries(schema.properties ?? {}).filter(([name]) => !omit.includes(name))
  const isRequired = (name: string) => schema.required?.includes(name) ?? false
  const field = ([name, each]: readonly [string, Schema]) =>
    h(Field, {
      key: name,
      context,
      path: [...path, name],
      name,
      schema: each,
      required: isRequired(name),
      value: values[name],
      onChange: (value: unknown) => {
        context.onEdit?.([...path, name])
        onChange(withField(values, name, value))
      },
    })
  const required = fields.filter(([name]) => isRequired(name))
  const optional = fields.filter(([name]) => !isRequired(name))
  // Only what was set before opens the fold: it must not close while somebody empties a field in it.
  const [wasSet] = useState(() => optional.some(([name]) => values[name] !== undefined))
  const open = wasSet || optional.some(([name]) => hasProblemBelow(context, [...path, name]))
  return h(
    'div',
    { class: 'fields' },
    required.map(field),
    optional.length > 0 &&
      (optional.length <= (required.length === 0 ? 3 : 1)
        ? optional.map(field)
        : h(
            'details',
            { class: 'fold', open },
            h('summary', null, optionalTitle, h('span', { class: 'count' }, ` ${optional.length}`)),
            h('div', { class: 'fields' }, optional.map(field)),
          )),
  )
}

const Field = (props: FieldProps): ComponentChildren => {
  switch (shapeOf(props.schema)) {
    case 'object':
      return h(ObjectField, props)
    case 'list':
      return h(ListField, props)
    case 'map':
      return h(MapField, props)
    case 'union':
      return h(UnionField, props)
    default:
      return h(Labelled, { ...props, input: inputFor })
  }
}

/** Label, input, description and problem of one value. */
const Labelled = ({
  input,
  ...props
}: FieldProps & {
  readonly input: (props: FieldProps, given: InputProps) => ComponentChildren
}): ComponentChildren => {
  const { context, path, name, schema, required } = props
  const id = useId()
  const problem = problemAt(context, path)
  const notes = [schema.description && `${id}-d`, problem && `${id}-p`].filter(Boolean).join(' ')
  return h(
    'div',
    { class: problem ? 'field wrong' : 'field' },
    h(
      'label',
      { for: id },
      titleOf(name, schema),
      required ? h('span', { class: 'required', title: 'required' }, ' *') : null,
    ),
    input(props, {
      id,
      ...(notes === '' ? {} : { 'aria-describedby': notes }),
      ...(problem ? { 'aria-invalid': true } : {}),
    }),
    problem && h('p', { class: 'problem', id: `${id}-p` }, sentence(problem)),
    schema.description && h('p', { class: 'description', id: `${id}-d` }, schema.description),
  )
}

const inputFor = (props: FieldProps, given: InputProps): ComponentChildren => {
  const { schema, value, onChange, required, name, context } = props
  switch (shapeOf(schema)) {
    case 'secret':
      return h(SecretInput, { given, name, connection: context.connection, value, onChange, required })
    case 'choice':
      return h(Select, {
        given,
        options: (schema.enum ?? [schema.const]).map((option) => [String(option), String(option)] as const),
        value: value === undefined ? '' : String(value),
        blank: required ? undefined : unsetText(schema),
        onChange: (text) => onChange(text === '' ? undefined : text),
      })
    case 'boolean':
      return h(Select, {
        given,
        options: [
          ['true', 'yes'],
          ['false', 'no'],
        ],
        value: value === undefined ? '' : String(value),
        blank: required ? undefined : unsetText(schema),
        onChange: (text) => onChange(text === '' ? undefined : text === 'true'),
      })
    case 'number':
      return textInput(given, {
        value: value === undefined ? '' : String(value),
        placeholder: placeholderOf(schema),
        mode: 'decimal',
        onChange: (text) => onChange(numberOrText(text)),
      })
    case 'json':
      return h(JsonInput, { given, value, onChange })
    default:
      return textInput(given, {
        value: value === undefined ? '' : String(value),
        placeholder: placeholderOf(schema),
        onChange: (text) => onChange(text === '' ? undefined : text),
      })
  }
}

const unsetText = ({ default: fallback }: Schema): string => {
  if (fallback === undefined) return 'not set'
  const words = fallback === true ? 'yes' : fallback === false ? 'no' : String(fallback)
  return `default: ${words}`
}

/** Frame of a field that has fields of its own. */
const Group = ({
  context,
  path,
  name,
  schema,
  required,
  children,
}: FieldProps & { readonly children?: ComponentChildren }): ComponentChildren => {
  const problem = problemAt(context, path)
  return h(
    'fieldset',
    { class: problem ? 'field wrong' : 'field' },
    h(
      'legend',
      null,
      titleOf(name, schema),
      required ? h('span', { class: 'required', title: 'required' }, ' *') : null,
    ),
    problem && h('p', { class: 'problem' }, sentence(problem)),
    schema.description && h('p', { class: 'description' }, schema.description),
    children,
  )
}

const ObjectField = (props: FieldProps): ComponentChildren => {
  const { schema, value, onChange, context, path, required } = props
  const present = value !== undefined || required
  return h(
    Group,
    props,
    present
      ? h(SchemaForm, {
          schema,
          values: (value ?? {}) as Values,
          onChange,
          context,
          path,
          omit: constNames(schema),
        })
      : h(Button, { onClick: () => onChange(blankOf(schema)) }, 'Set'),
    present &&
      !required &&
      h(
        Button,
        { kind: 'quiet', onClick: () => onChange(undefined) },
        `Leave out ${titleOf(props.name, schema)}`,
      ),
  )
}

/** Fields that have one value only: the choice of the variant has set it. */
const constNames = (schema: Schema): readonly string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    field.const === undefined ? [] : [name],
  )

const UnionField = (props: FieldProps): ComponentChildren => {
  const { schema, value, onChange, required, context, path, name } = props
  const { variants, discriminator } = variantsOf(schema)
  const [chosen, setChosen] = useState(variantOf(schema, value))
  const id = useId()
  const variant = variants[chosen] ?? {}
  const choose = (text: string) => {
    const index = Number(text)
    setChosen(index)
    onChange(text === '' ? undefined : blankOf(variants[index] ?? {}))
  }
  const inside = { ...props, schema: { ...variant, title: 'Value', description: '' }, required: true }
  return h(
    Group,
    props,
    h('label', { for: id, class: 'hidden' }, `Form of ${titleOf(name, schema)}`),
    h(Select, {
      given: { id },
      options: variants.map((each, index) => [String(index), variantTitle(each, discriminator)] as const),
      value: value === undefined && !required && discriminator !== undefined ? '' : String(chosen),
      blank: required ? undefined : unsetText({ ...schema, default: undefined }),
      onChange: choose,
    }),
    shapeOf(variant) === 'object'
      ? value !== undefined &&
          h(SchemaForm, {
            schema: variant,
            values: value as Values,
            onChange,
            context,
            path,
            omit: constNames(variant),
          })
      : h(Field, inside),
  )
}

const ListField = (props: FieldProps): ComponentChildren => {
  const { schema, value, onChange, context, path, name } = props
  const entries = Array.isArray(value) ? (value as readonly unknown[]) : []
  const items = schema.items ?? {}
  const change = (next: readonly unknown[]) => onChange(next.length === 0 ? undefined : next)
  return h(
    Group,
    props,
    entries.map((entry, index) =>
      h(
        'div',
        { class: 'entry', key: index },
        h(Field, {
          context,
          path: [...path, index],
          name: `${titleOf(name, schema)} ${index + 1}`,
          schema: items,
          required: true,
          value: entry,
          onChange: (next: unknown) => change(entries.with(index, next)),
        }),
        h(
          Button,
          {
            kind: 'quiet',
            label: `Remove ${titleOf(name, schema)} ${index + 1}`,
            onClick: () => change(entries.toSpliced(index, 1)),
          },
          'Remove',
        ),
      ),
    ),
    h(
      Button,
      { label: `Add to ${titleOf(name, schema)}`, onClick: () => change([...entries, blankOf(items) ?? '']) },
      'Add',
    ),
  )
}

const MapField = (props: FieldProps): ComponentChildren => {
  const { schema, value, onChange, context, path, name } = props
  const entries = Object.entries((value ?? {}) as Values)
  const inner = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {}
  const [added, setAdded] = useState('')
  const id = useId()
  const change = (next: readonly (readonly [string, unknown])[]) =>
    onChange(next.length === 0 ? undefined : Object.fromEntries(next))
  const add = () => {
    if (added.trim() === '') return
    change([...entries, [added.trim(), blankOf(inner) ?? '']])
    setAdded('')
  }
  return h(
    Group,
    props,
    entries.map(([key, entry]) =>
      h(
        'div',
        { class: 'entry', key },
        h(Field, {
          context,
          path: [...path, key],
          name: key,
          schema: { ...inner, title: key },
          required: true,
          value: entry,
          onChange: (next: unknown) =>
            change(entries.map(([each, old]) => [each, each === key ? next : old])),
        }),
        h(
          Button,
          {
            kind: 'quiet',
            label: `Remove ${key}`,
            onClick: () => change(entries.filter(([each]) => each !== key)),
          },
          'Remove',
        ),
      ),
    ),
    h(
      'div',
      { class: 'add-row' },
      h('label', { for: id, class: 'hidden' }, `Name of a new entry of ${titleOf(name, schema)}`),
      textInput({ id }, { value: added, placeholder: 'name', onChange: setAdded }),
      h(
        Button,
        { label: `Add to ${titleOf(name, schema)}`, disabled: added.trim() === '', onClick: add },
        'Add',
      ),
    ),
  )
}
