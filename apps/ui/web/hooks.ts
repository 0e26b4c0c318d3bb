import type { ApiError } from '@penstock/ui/api'
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { problemOf } from './client.ts'

/** What is loaded: nothing yet, a value, or an error. While it is loaded again, the value before stays. */
export interface Loaded<Value> {
  readonly value?: Value
  readonly error?: ApiError
  readonly loading: boolean
  readonly reload: () => void
}

/** Loads something, and again when `key` changes. What is under way is broken off then. */
export const useLoaded = <Value>(
  key: string | undefined,
  load: (signal: AbortSignal) => Promise<Value>,
): Loaded<Value> => {
  const [state, setState] = useState<Omit<Loaded<Value>, 'reload'> & { key?: string | undefined }>({
    loading: true,
  })
  const [turn, setTurn] = useState(0)
  const latest = useRef(load)
  latest.current = load
  useEffect(() => {
    if (key === undefined) return setState({ loading: false })
    const controller = new AbortController()
    setState((before) => ({ ...(before.key === key ? before : {}), key, loading: true }))
    latest.current(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setState({ key, value, loading: false })
      },
      (thrown: unknown) => {
        if (!controller.signal.aborted) setState({ key, error: problemOf(thrown), loading: false })
      },
    )
    return () => controller.abort()
  }, [key, turn])
  const reload = useCallback(() => setTurn((before) => before + 1), [])
  return { ...state, reload }
}

/** Something that a button does: busy while it is under way, with the error that it ended in. */
export const useAction = <Arguments extends readonly unknown[]>(
  act: (...given: Arguments) => Promise<void>,
): {
  readonly busy: boolean
  readonly error?: ApiError
  readonly start: (...given: Arguments) => void
} => {
  const [state, setState] = useState<{ busy: boolean; error?: ApiError }>({ busy: false })
  const start = (...given: Arguments) => {
    setState({ busy: true })
    act(...given).then(
      () => setState({ busy: false }),
      (thrown: unknown) => setState({ busy: false, error: problemOf(thrown) }),
    )
  }
  return { ...state, start }
}

/** Parts of the address behind `#/`, decoded. */
const currentRoute = (): readonly string[] =>
  location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent)

export const useRoute = (): readonly string[] => {
  const [route, setRoute] = useState(currentRoute)
  useEffect(() => {
    const change = () => setRoute(currentRoute())
    addEventListener('hashchange', change)
    return () => removeEventListener('hashchange', change)
  }, [])
  return route
}

export const linkTo = (...parts: readonly string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`

export const goTo = (...parts: readonly string[]): void => {
  location.hash = linkTo(...parts)
}
