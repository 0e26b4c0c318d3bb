import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AnyConnector, connectUnknown } from '@penstock/core'
import { duckdb } from '@penstock/engine-duckdb'
import { onTestFinished } from 'vitest'
import type { PipelineContext, PipelineEvent } from '../src/pipeline/context.ts'
import { type OpenedPipeline, openPipeline } from '../src/project/pipeline.ts'
import { openProject, type Project } from '../src/project/project.ts'
import { type Calls, testActions, testDestination } from './step-connectors.ts'

/** A project in a temporary folder with a destination `out` and actions `act`, gone when the test ends. */
export interface StepProject {
  readonly folder: string
  readonly file: string
  readonly calls: Calls
  /** What the destination holds, by name. */
  readonly written: Map<string, readonly unknown[]>
  readonly events: PipelineEvent[]
  write(rest: string): Promise<Project>
  open(project: Project, name: string): Promise<OpenedPipeline>
  context(project: Project, more?: Partial<PipelineContext>): PipelineContext
}

const head = `connections:
  out: { connector: destination-test }
  act: { connector: actions-test }
`

export const createStepProject = async (): Promise<StepProject> => {
  const folder = await mkdtemp(join(tmpdir(), 'penstock-steps-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'penstock.yaml')
  const calls: Calls = { list: [] }
  const written = new Map<string, readonly unknown[]>()
  const connectors: Record<string, AnyConnector> = {
    out: testDestination(written, calls),
    act: testActions(calls),
  }
  const events: PipelineEvent[] = []
  const secrets: string[] = []
  const redact = (value: unknown): unknown =>
    JSON.parse(secrets.reduce((text, secret) => text.replaceAll(secret, '[secret]'), JSON.stringify(value)))
  return {
    folder,
    file,
    calls,
    written,
    events,
    write: async (rest) => {
      await writeFile(file, head + rest)
      return openProject({ cwd: folder })
    },
    open: (project, name) =>
      openPipeline(project, name, async (connection) => connectors[connection] as AnyConnector),
    context: (project, more = {}) => ({
      project,
      openConnection: async (name) => connectUnknown(connectors[name] as AnyConnector, {}, { name }),
      openEngine: (path, options) => duckdb(path, { contained: options.contained, threads: 1 }),
      redact,
      addSecrets: (added) => void secrets.push(...added),
      onEvent: (event) => void events.push(event),
      ...more,
    }),
  }
}
