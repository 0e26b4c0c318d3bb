import { type ComponentChildren, h } from 'preact'
import { useState } from 'preact/hooks'
import { isReference, isTyped, variableFor } from './form-values.ts'

type Way = 'keep' | 'typed' | 'env' | 'file' | 'none'

interface SecretProps {
  readonly given: { readonly id: string }
  readonly name: string
  readonly connection: string
  readonly value: unknown
  readonly required: boolean
  readonly onChange: (value: unknown) => void
}

/** A secret: typed in, or where it comes from. What is stored never comes to the browser, only its reference. */
export const SecretInput = ({
  given,
  name,
  connection,
  value,
  required,
  onChange,
}: SecretProps): ComponentChildren => {
  const [stored] = useState(() => (isReference(value) ? value : undefined))
  const [way, setWay] = useState<Way>(() => (stored ? 'keep' : required ? 'typed' : 'none'))
  const choose = (next: Way) => {
    setWay(next)
    if (next === 'keep') onChange(stored)
    else if (next === 'env') onChange(`\${env:${variableFor(connection, name)}}`)
    else onChange(undefined)
  }
  const ways: readonly (readonly [Way, string])[] = [
    ...(stored ? [['keep', 'As it is stored'] as const] : []),
    ...(required ? [] : [['none', 'None'] as const]),
    ['typed', 'Type it in'],
    ['env', 'Environment variable'],
    ['file', 'File'],
  ]
  return h(
    'div',
    { class: 'secret' },
    h(
      'select',
      {
        'aria-label': `Where ${name} comes from`,
        value: way,
        onChange: (event: Event) => choose((event.currentTarget as HTMLSelectElement).value as Way),
      },
      ways.map(([each, text]) => h('option', { key: each, value: each }, text)),
    ),
    input(way, { given, value, onChange, stored, connection, name }),
  )
}

const input = (
  way: Way,
  {
    given,
    value,
    stored,
    onChange,
    connection,
    name,
  }: Pick<SecretProps, 'given' | 'value' | 'onChange' | 'connection' | 'name'> & {
    stored: string | undefined
  },
): ComponentChildren => {
  const common = { ...given, autocomplete: 'off', spellcheck: false }
  const textOf = (event: Event) => (event.currentTarget as HTMLInputElement).value
  switch (way) {
    case 'keep':
      return h('input', { ...common, type: 'text', value: stored ?? '', readOnly: true })
    case 'none':
      return h('input', { ...common, type: 'text', value: '', disabled: true, placeholder: 'not set' })
    case 'typed':
      return h('input', {
        ...common,
        type: 'password',
        autocomplete: 'new-password',
        value: isTyped(value) ? value.typed : '',
        placeholder: 'kept in .penstock/secrets, which git ignores',
        onInput: (event: Event) => onChange(textOf(event) === '' ? undefined : { typed: textOf(event) }),
      })
    default: {
      const target = isReference(value) ? value.replace(/^\$\{\w+:|\}$/g, '') : ''
      return h('input', {
        ...common,
        type: 'text',
        value: target,
        placeholder: way === 'env' ? variableFor(connection, name) : './secrets/key.txt',
        onInput: (event: Event) =>
          onChange(textOf(event).trim() === '' ? undefined : `\${${way}:${textOf(event).trim()}}`),
      })
    }
  }
}
