import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { describeSchedule, type PipelineRun, type Project, pipelineHistory } from '@penstock/runtime'
import type { PipelineInfo, ProjectInfo } from '../api.ts'
import { connectionInfo } from './connections.ts'
import { projectOf, type UiHost } from './host.ts'
import { pipelineRunInfo } from './run-info.ts'

/** The project as the page shows it: read anew each time, as others may change it. */
export const projectInfo = async (host: UiHost): Promise<ProjectInfo> => {
  const project = await projectOf(host)
  const { folder, file } = project
  const runs = await pipelineHistory(folder).list()
  return {
    name: basename(folder),
    file,
    version: host.version,
    connections: await Promise.all(
      Object.keys(project.connections).map((name) => connectionInfo(host, project, name)),
    ),
    pipelines: Object.keys(project.pipelines).map((name) => pipelineInfo(project, name, runs)),
    databases: (await readdir(folder)).filter((name) => name.endsWith('.duckdb')).sort(),
  }
}

const pipelineInfo = (project: Project, name: string, runs: readonly PipelineRun[]): PipelineInfo => {
  const { description, into, schedule, steps } = project.pipelines[name] ?? { steps: [] }
  const last = runs.find(({ pipeline }) => pipeline === name)
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(into === undefined ? {} : { into }),
    ...(schedule === undefined ? {} : { schedule: describeSchedule(schedule) }),
    steps: (steps ?? []).map((step) => ({
      id: step.id,
      kind: (['extract', 'sql', 'export', 'action'] as const).find((kind) => step[kind] !== undefined) ?? '',
    })),
    ...(last ? { last: pipelineRunInfo(last) } : {}),
  }
}
