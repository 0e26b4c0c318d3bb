import { type ComponentChildren, h } from 'preact'
import { useState } from 'preact/hooks'

/** What ties an input to its label, description and problem. */
export interface InputProps {
  readonly id: string
  readonly 'aria-describedby'?: string
  readonly 'aria-invalid'?: boolean
}

export const textInput = (
  given: InputProps,
  {
    value,
    placeholder,
    mode = 'text',
    onChange,
  }: { value: string; placeholder?: string; mode?: 'text' | 'decimal'; onChange: (text: string) => void },
): ComponentChildren =>
  h('input', {
    ...given,
    type: 'text',
    inputMode: mode,
    value,
    placeholder: placeholder ?? '',
    autocomplete: 'off',
    spellcheck: false,
    onInput: (event: Event) => onChange((event.currentTarget as HTMLInputElement).value),
  })

export const Select = ({
  given,
  options,
  value,
  blank,
  onChange,
}: {
  readonly given: InputProps
  readonly options: readonly (readonly [value: string, text: string])[]
  readonly value: string
  /** Text of the choice of nothing; absent where something has to be chosen. */
  readonly blank: string | undefined
  readonly onChange: (value: string) => void
}): ComponentChildren =>
  h(
    'select',
    {
      ...given,
      value,
      onChange: (event: Event) => onChange((event.currentTarget as HTMLSelectElement).value),
    },
    (blank !== undefined || value === '') && h('option', { value: '' }, blank ?? 'choose …'),
    options.map(([option, text]) => h('option', { key: option, value: option }, text)),
  )

/** What has no simple form: its JSON. */
export const JsonInput = ({
  given,
  value,
  onChange,
}: {
  readonly given: InputProps
  readonly value: unknown
  readonly onChange: (value: unknown) => void
}): ComponentChildren => {
  const [text, setText] = useState(value === undefined ? '' : JSON.stringify(value, null, 2))
  const change = (event: Event) => {
    const input = event.currentTarget as HTMLTextAreaElement
    setText(input.value)
    try {
      onChange(input.value.trim() === '' ? undefined : JSON.parse(input.value))
      input.setCustomValidity('')
    } catch {
      input.setCustomValidity('This is no valid JSON.')
    }
  }
  return h('textarea', {
    ...given,
    rows: 4,
    value: text,
    placeholder: 'JSON',
    spellcheck: false,
    onInput: change,
  })
}
