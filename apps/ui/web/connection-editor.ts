import type {
  AuthForm,
  CheckStep,
  ConnectionDraft,
  ConnectorForm,
  FieldProblem,
  SavedConnection,
  Schema,
} from '@penstock/ui/api'
import { type ComponentChildren, h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { type CheckState, CheckSteps } from './check-steps.ts'
import { ApiProblem, call, checkDraft, path, problemOf } from './client.ts'
import { type FormContext, SchemaForm } from './form.ts'
import type { Values } from './form-values.ts'
import { linkTo } from './hooks.ts'
import { Badge, Button, Copyable, ErrorBox, LinkButton } from './parts.ts'

interface EditorProps {
  readonly form: ConnectorForm
  readonly draft: ConnectionDraft
  /** Name of the connection that is changed; absent for a new one. */
  readonly name?: string
  /** Names that a new connection can't have. */
  readonly taken: readonly string[]
  readonly onSaved: (saved: SavedConnection) => void
}

type Test = CheckState & { readonly steps: readonly CheckStep[] }

const sorted = (methods: readonly AuthForm[]): readonly AuthForm[] =>
  [...methods].sort((a, b) => Number(b.recommended ?? false) - Number(a.recommended ?? false))

/** The form of a connection. */
export const ConnectionEditor = ({
  form,
  draft,
  name: given,
  taken,
  onSaved,
}: EditorProps): ComponentChildren => {
  const methods = sorted(form.auth)
  const { method: formerMethod, ...formerAuth } = draft.auth ?? {}
  const [name, setName] = useState(given ?? freeName(form, taken))
  const [description, setDescription] = useState(draft.description ?? '')
  const [fields, setFields] = useState<Values>(draft.fields)
  const [method, setMethod] = useState(String(formerMethod ?? methods[0]?.id ?? ''))
  // What was filled in for one method stays while another one is looked at.
  const [auths, setAuths] = useState<Readonly<Record<string, Values>>>({ [method]: formerAuth })
  const [state, setState] = useState<{ busy: boolean; thrown?: unknown }>({ busy: false })
  const [saved, setSaved] = useState<SavedConnection>()
  const [test, setTest] = useState<Test>()
  // Who leaves the form ends its test.
  const leaving = useRef(new AbortController())
  useEffect(() => () => leaving.current.abort(), [])
  const frame = useRef<HTMLFormElement>(null)
  const [edited, setEdited] = useState<readonly string[]>([])
  const told: readonly FieldProblem[] = state.thrown instanceof ApiProblem ? state.thrown.problems : []
  const problems = told.filter(({ path: at }) => !edited.includes(at.join('.')))
  useEffect(() => {
    // To the first field that is wrong.
    if (state.thrown !== undefined)
      frame.current?.querySelector<HTMLElement>('[aria-invalid], .wrong input, .notice')?.focus()
  }, [state.thrown])
  const chosen = methods.find(({ id }) => id === method)
  const auth = auths[method] ?? {}
  const context: FormContext = {
    problems,
    connection: name,
    onEdit: (at) => setEdited((before) => [...before, at.join('.')]),
  }
  // A role whose external id is made now can't trust it yet: it is saved first.
  const canTest = !(chosen?.makesExternalId && !auth.externalId)
  const save = async ({ anyway = false } = {}) => {
    setState({ busy: true })
    setEdited([])
    setTest(undefined)
    try {
      const body = {
        connector: draft.connector,
        fields,
        create: given === undefined,
        ...(description.trim() === '' ? {} : { description: description.trim() }),
        ...(chosen ? { auth: { method, ...auth } } : {}),
      }
      if (canTest && !anyway && !(await passes(body))) return setState({ busy: false })
      const result = await call<SavedConnection>('PUT', path`/api/connections/${name}`, { body })
      setState({ busy: false })
      if (result.externalId === undefined) onSaved(result)
      else setSaved(result)
    } catch (thrown) {
      setState({ busy: false, thrown })
    }
  }
  const passes = async (body: unknown): Promise<boolean> => {
    let now: Test = { steps: [], running: true }
    const change = (changes: Partial<Test>) => {
      now = { ...now, ...changes }
      setTest(now)
    }
    change({})
    try {
      const tell: Parameters<typeof checkDraft>[2] = (line) => {
        if ('step' in line) change({ steps: [...now.steps, line.step] })
        else if ('done' in line) change({ running: false, done: line.done })
        else change({ running: false, done: 'failed', thrown: line.error })
      }
      await checkDraft(name, body, tell, leaving.current.signal)
    } catch (thrown) {
      setTest(undefined)
      throw thrown
    }
    return now.done === 'passed'
  }
  if (saved) return h(RoleNextSteps, { saved })
  // A problem of a field that the form does not show is told as a whole.
  const isMarked = told.length > 0 && told.every(({ path: [first] }) => isShown(form, chosen, first))
  return h(
    'form',
    {
      class: 'editor',
      ref: frame,
      noValidate: true,
      onSubmit: (event: Event) => {
        event.preventDefault()
        void save()
      },
    },
    h(
      'section',
      { class: 'panel' },
      h(SchemaForm, {
        schema: aboutSchema(given !== undefined),
        values: { name, description },
        onChange: (values) => {
          setName(String(values.name ?? ''))
          setDescription(String(values.description ?? ''))
        },
        context,
        omit: given === undefined ? [] : ['name'],
      }),
    ),
    chosen &&
      h(
        'section',
        { class: 'panel' },
        h('h2', null, 'Authentication'),
        h(MethodChoice, { methods, method, onChange: setMethod }),
        h(SchemaForm, {
          key: method,
          schema: chosen.makesExternalId ? withMadeExternalId(chosen.schema) : chosen.schema,
          values: auth,
          onChange: (values) => setAuths({ ...auths, [method]: values }),
          context,
          path: ['auth'],
        }),
      ),
    h(
      'section',
      { class: 'panel' },
      h('h2', null, 'Settings'),
      h(SchemaForm, {
        schema: form.config,
        values: fields,
        onChange: setFields,
        context,
        // Chosen where the tables are seen.
        omit: form.canShare ? ['shares', 'dataLocations'] : [],
      }),
    ),
    test &&
      h(
        'section',
        { class: 'panel' },
        h('h2', null, 'Test of the connection'),
        h(CheckSteps, test),
        test.done === 'failed' && h('p', { class: 'problem', role: 'alert' }, 'Nothing was saved.'),
      ),
    state.thrown !== undefined && !isMarked && h(ErrorBox, { error: problemOf(state.thrown) }),
    h(
      'div',
      { class: 'actions' },
      h(
        Button,
        { type: 'submit', kind: 'primary', busy: state.busy },
        canTest ? (state.busy ? 'Testing …' : 'Test and save') : 'Save',
      ),
      test?.done === 'failed' &&
        h(Button, { busy: state.busy, onClick: () => void save({ anyway: true }) }, 'Save as it is'),
      h(
        LinkButton,
        {
          href: given === undefined ? linkTo('connections', '+') : linkTo('connections', given),
          kind: 'quiet',
        },
        'Cancel',
      ),
      isMarked &&
        h('p', { class: 'problem', role: 'alert' }, 'Some fields need another look: they are marked.'),
    ),
  )
}

const freeName = (form: ConnectorForm, taken: readonly string[]): string => {
  const base = { source: 'lake', destination: 'exports', 'zero-copy': 'warehouse', actions: 'files' }[
    form.kind
  ]
  for (let count = 1; ; count++) {
    const name = count === 1 ? base : `${base}-${count}`
    if (!taken.includes(name)) return name
  }
}

const aboutSchema = (exists: boolean): Schema => ({
  properties: {
    name: {
      type: 'string',
      title: 'Name',
      description: 'What commands and pipelines call it: letters, digits, . _ and -',
    },
    description: { type: 'string', title: 'Description', examples: ['Exports of the shop'] },
  },
  required: exists ? [] : ['name'],
})

const isShown = (form: ConnectorForm, auth: AuthForm | undefined, first: unknown): boolean =>
  first === 'name' ||
  (first === 'auth' && auth !== undefined) ||
  Object.hasOwn(form.config.properties ?? {}, String(first))

/** The external id is made by Penstock: whoever wants another one can still write it. */
const withMadeExternalId = (schema: Schema): Schema => ({
  ...schema,
  required: (schema.required ?? []).filter((name) => name !== 'externalId'),
  properties: {
    ...schema.properties,
    externalId: {
      ...schema.properties?.externalId,
      description: 'Leave it empty: one is made, and the trust policy with it is shown after saving',
    },
  },
})

const MethodChoice = ({
  methods,
  method,
  onChange,
}: {
  readonly methods: readonly AuthForm[]
  readonly method: string
  readonly onChange: (id: string) => void
}): ComponentChildren =>
  h(
    'fieldset',
    { class: 'choices' },
    h('legend', { class: 'hidden' }, 'Auth method'),
    methods.map(({ id, title, description, recommended }) =>
      h(
        'label',
        { key: id, class: id === method ? 'choice chosen' : 'choice' },
        h('input', {
          type: 'radio',
          name: 'method',
          value: id,
          checked: id === method,
          onChange: () => onChange(id),
        }),
        h(
          'span',
          null,
          h('strong', null, title),
          recommended && [' ', h(Badge, { tone: 'good' }, 'recommended')],
          description !== undefined && h('span', { class: 'description' }, description),
        ),
      ),
    ),
  )

/** A role whose external id was just made: the other side has to know it before a test can pass. */
const RoleNextSteps = ({ saved }: { readonly saved: SavedConnection }): ComponentChildren =>
  h(
    'section',
    { class: 'panel' },
    h('h2', null, `Connection ${saved.name} is saved`),
    h(
      'p',
      null,
      'The role has to trust you before a test can pass. Paste this into AWS: IAM, the role, Trust relationships.',
    ),
    saved.trust !== undefined &&
      h(Copyable, { label: 'Trust policy', text: JSON.stringify(saved.trust, null, 2) }),
    saved.externalId !== undefined && h(Copyable, { label: 'External id', text: saved.externalId }),
    h(
      'div',
      { class: 'actions' },
      h(LinkButton, { kind: 'primary', href: linkTo('connections', saved.name, 'check') }, 'Test it'),
      h(LinkButton, { href: linkTo('connections', saved.name, 'policy') }, 'Access policy of the role'),
    ),
  )
