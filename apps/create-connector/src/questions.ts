import { cancel, isCancel, select, text } from '@clack/prompts'
import { CreateError } from './create.ts'
import type { Kind } from './names.ts'
import type { Questions } from './request.ts'

const answered = <Answer>(answer: Answer): Exclude<Answer, symbol> => {
  if (!isCancel(answer)) return answer as Exclude<Answer, symbol>
  cancel('Nothing was written.')
  throw new CreateError('cancelled')
}

/** Questions to a person at a terminal. */
export const terminalQuestions: Questions = {
  kind: async () =>
    answered(
      await select<Kind>({
        message: 'What kind of connector?',
        options: [
          { value: 'source', label: 'source', hint: 'rows or files become tables' },
          { value: 'destination', label: 'destination', hint: 'tables and queries are exported' },
          { value: 'zero-copy', label: 'zero-copy', hint: 'tables are queried where they are' },
          { value: 'actions', label: 'actions', hint: 'steps of pipelines, and commands' },
        ],
      }),
    ),
  name: async (problem) =>
    answered(
      await text({
        message: 'Name of the package?',
        placeholder: 'penstock-source-leads',
        validate: (answer) => problem(answer ?? ''),
      }),
    ),
}
